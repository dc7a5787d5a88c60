from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponseBase

from backoffice.kit.sessions.service import note_browser


class LastSeenMiddleware:
    """Keeps when, from where and with what each browser was last seen. Comes after the session's middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.session.session_key and "Authorization" not in request.headers and SESSION_KEY in request.session:
            note_browser(request)
        return self.get_response(request)
