"""Each request has an id: in its answer, in every line of the log, and on the history rows that it causes."""

import logging
import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponseBase

from backoffice.kit.api.paths import is_api
from backoffice.kit.api.problems import FieldError, Invalid
from backoffice.kit.context import Cause, cause, caused_by

HEADER = "X-Request-ID"
REASON = "X-Change-Reason"
SAFE = re.compile(r"[A-Za-z0-9._-]{1,64}")  # no more than a history row holds, and nothing that could forge a log line
REASON_MOST = 100  # characters, as many as a history row holds
WRITES = ("POST", "PUT", "PATCH", "DELETE")

Next = Callable[[HttpRequest], HttpResponseBase]


class RequestIdMiddleware:
    """Takes the caller's `X-Request-ID`, or makes one where it has none that is safe; stands before all others."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "")
        name = given if SAFE.fullmatch(given) else uuid.uuid4().hex
        request.request_id = name  # type: ignore[attr-defined]
        with caused_by(Cause(request_id=name, user=lambda: getattr(request, "user", None))):
            response = self.get_response(request)
        response[HEADER] = name
        return response


class ChangeReasonMiddleware:
    """The `X-Change-Reason` of a write at the API becomes the reason in the history of what it changes."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if REASON not in request.headers or request.method not in WRITES or not is_api(request):
            return self.get_response(request)
        try:
            reason = read_reason(request.headers[REASON])
        except Invalid as error:
            return error.response()
        with caused_by(replace(cause(), reason=reason)):
            return self.get_response(request)


def read_reason(value: str) -> str:
    """The text of the header: ASCII in which other characters are percent-encoded UTF-8, as in an address.

    Headers have no encoding of their own (RFC 9110, section 5.5): browsers send Latin-1 and shells UTF-8. Granian, our
    web server, gives what is not ASCII as an empty text.

    Raises:
        Invalid: it is empty or too long, holds a control character, or is not encoded so.
    """
    try:
        text = unquote(value, errors="strict").strip()
    except UnicodeDecodeError:
        text = ""
    if not text or not value.isascii() or not text.isprintable():
        raise Invalid(FieldError(REASON, "Use printable characters; those beyond ASCII as percent-encoded UTF-8."))
    if len(text) > REASON_MOST:
        raise Invalid(FieldError(REASON, f"Use at most {REASON_MOST} characters; these are {len(text)}."))
    return text


class RequestIdFilter(logging.Filter):
    """Gives each log record its `request_id`; `-` outside of requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        # Django logs a request that failed after its middleware is done with it.
        request = getattr(record, "request", None)
        record.request_id = cause().request_id or getattr(request, "request_id", "") or "-"
        return True
