"""Each API path works with and without its final slash."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.urls import is_valid_path


class SlashMiddleware:
    """Adds the final slash to an API path that has no meaning without it; no redirect, which would lose a body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if (
            path.startswith("/api/")
            and not path.endswith("/")
            and not is_valid_path(path)
            and is_valid_path(f"{path}/")
        ):
            request.path_info = f"{path}/"
            request.path = f"{request.path}/"
        return self.get_response(request)
