"""Which paths are the API's; each of them works with and without its final slash."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.urls import is_valid_path

API = "/api/"


def is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API)


class SlashMiddleware:
    """Adds or takes the final slash of an API path that has no meaning as it is; a redirect would lose a body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path, urls = request.path_info, getattr(request, "urlconf", None)
        if is_api(request) and not is_valid_path(path, urls):
            other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
            if is_valid_path(other, urls):
                request.path = request.path.removesuffix(path) + other
                request.path_info = other
        return self.get_response(request)
