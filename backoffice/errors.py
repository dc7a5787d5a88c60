"""The pages of errors, in the site's own dress; the API's are problems, see `backoffice.kit.api.problems`.

None of them asks the database, which may be what failed: they know nobody and nothing but the request.
"""

import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as lazy

from backoffice import theme
from backoffice.kit.api.middleware import API
from backoffice.kit.api.problems import ProblemError
from backoffice.kit.database import RETRY_SECONDS, TOO_LONG, is_unavailable, took_too_long


class Words(NamedTuple):
    title: "str | Promise"
    text: "str | Promise"


WORDS = {
    400: Words(lazy("This request can't be understood"), lazy("Something in its address or its form is not valid.")),
    403: Words(
        lazy("You may not do this"),
        lazy("Your account lacks the permission for it. Whoever manages accounts can give it."),
    ),
    404: Words(
        lazy("There is nothing here"), lazy("The address is wrong, or what was here is gone or hidden from you.")
    ),
    405: Words(lazy("This address is not for opening"), lazy("It only takes what a button on another page sends.")),
    408: Words(lazy("That came too slowly"), lazy("The rest of it did not come in time. Send it again.")),
    413: Words(
        lazy("That is too much at once"), lazy("What was sent is larger than this site takes. Send less of it.")
    ),
    500: Words(
        lazy("Something failed here"), lazy("It was logged, and it is not your fault. Nothing of it was saved.")
    ),
    503: Words(
        lazy("The database is busy or away"),
        lazy("The database can't be written just now. Nothing was saved; try again in a moment."),
    ),
}
SLOW = Words(
    lazy("This took too long"),
    lazy(
        "The database was stopped, so that others are answered. Nothing was saved. Ask for less at once: a filter, "
        "fewer rows, a shorter time."
    ),
)
STALE = Words(
    lazy("This form is out of date"),
    lazy(
        "You signed in or out since it was opened, or cookies are blocked. Go back, copy what you wrote, reload, send."
    ),
)


def page(
    request: HttpRequest, status: int, *, words: Words | None = None, retry_seconds: int | None = None
) -> HttpResponse:
    """Return the page of an error; `words` in place of those of its status."""
    words = words or WORDS.get(status) or Words(HTTPStatus(status).phrase, HTTPStatus(status).description)
    context = {
        "status": status,
        "title": words.title,
        "text": words.text,
        "site": settings.TITLE,
        "color": settings.COLOR,
        "favicon": theme.favicon(theme.COLORS[settings.COLOR]),
        "back": _page_before(request),
        "sign_in": "" if settings.SESSION_COOKIE_NAME in request.COOKIES else _sign_in(request),
        "request_id": getattr(request, "request_id", "") if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "",
    }
    headers = {"Retry-After": str(retry_seconds)} if retry_seconds else {}
    return HttpResponse(render_to_string("error.html", context), status=status, headers=headers)


def _page_before(request: HttpRequest) -> str:
    """Return the path of the page of this site that led here; empty if none did."""
    before = request.headers.get("Referer", "")
    here = request.get_full_path()
    if not url_has_allowed_host_and_scheme(before, {request.META.get("HTTP_HOST") or request.META["SERVER_NAME"]}):
        return ""
    path = urlsplit(before)._replace(scheme="", netloc="").geturl()
    return "" if path == here and request.method in ("GET", "HEAD") else path


def _sign_in(request: HttpRequest) -> str:
    """Return the address of the sign-in, which leads back to a page that was to be read."""
    after = f"?{urlencode({'next': request.get_full_path()})}" if request.method == "GET" else ""
    return reverse("admin:login") + after


# --- Django's handlers -----------------------------------------------------------------------------------------------
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return page(request, 413)
    words = WORDS[400]  # only the text of a BadRequest is for people
    text = str(exception) if isinstance(exception, BadRequest) else ""
    return page(request, 400, words=Words(words.title, text or words.text))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    words = WORDS[403]
    return page(request, 403, words=Words(words.title, str(exception) or words.text))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 if the request failed because the database can't be used now, else 500.

    Django calls it for pages and the API, and for errors of middleware too, such as the one that stores sessions.
    """
    error = sys.exception()
    if not is_unavailable(error):
        return page(request, 500)
    if not took_too_long(error):
        return page(request, 503, retry_seconds=RETRY_SECONDS)
    if request.path_info.startswith(API):
        return ProblemError(503, TOO_LONG, headers={"Retry-After": str(RETRY_SECONDS)}).response()
    return page(request, 503, words=SLOW, retry_seconds=RETRY_SECONDS)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return page(request, 403, words=STALE)


class ErrorPageMiddleware:
    """Give a page to an error without a body, such as the 405 of a view that takes other methods."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        is_bare = response.status_code >= HTTPStatus.BAD_REQUEST and not getattr(response, "content", True)
        if not is_bare or request.path_info.startswith(API):
            return response
        made = page(request, response.status_code)
        for name in ("Allow", "Retry-After"):
            if name in response:
                made[name] = response[name]
        return made
