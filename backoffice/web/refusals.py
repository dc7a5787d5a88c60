"""The answer to a request whose body was not taken; the middleware around gives it the form of all errors."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from backoffice.kit.database import RETRY_SECONDS
from backoffice.web.bodies import REFUSED


class RefusalMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if REFUSED not in request.META:
            return self.get_response(request)
        answer = HttpResponse(status=request.META[REFUSED])
        if answer.status_code == 503:
            answer["Retry-After"] = str(RETRY_SECONDS)
        return answer
