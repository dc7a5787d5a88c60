"""HEAD and OPTIONS at the API, where views know GET, POST, PUT, PATCH and DELETE only."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from backoffice.kit.api.paths import is_api
from backoffice.kit.api.responses import empty_response


def allowed(methods: str) -> str:
    """The `Allow` header for what the views know: "GET, PUT" gives "GET, HEAD, OPTIONS, PUT"."""
    known = {*methods.split(", ")}
    return ", ".join(sorted(known | {"OPTIONS"} | ({"HEAD"} if "GET" in known else set())))


class MethodMiddleware:
    """HEAD answers as GET without a body (RFC 9110, section 9.3.2), OPTIONS with what is allowed (9.3.7)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_api(request):
            return self.get_response(request)
        if request.method == "HEAD":
            return self._head(request)
        response = self.get_response(request)
        if request.method == "OPTIONS" and response.status_code == 405:
            return empty_response(204, Allow=response["Allow"])
        return response

    def _head(self, request: HttpRequest) -> HttpResponseBase:
        request.method = "GET"
        try:
            response = self.get_response(request)
        finally:
            request.method = "HEAD"
        headers = {name: value for name, value in response.items() if name != "Content-Length"}
        response.close()
        made = HttpResponse(status=response.status_code, headers=headers)
        made.cookies = response.cookies
        return made
