"""The cause of a write, its user, request and reason: for logs, and for the history of what is written.

The id of a request is sent in its answer, logged with every line, and kept in the history rows that it causes.
"""

import logging
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from backoffice.kit.clients import client_address

REASON_LENGTH = 100  # characters, as many as a history row holds
REQUEST_ID_HEADER = "X-Request-ID"
SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")  # fits a history row, and can't forge a line of the log


@dataclass(frozen=True, kw_only=True)
class Cause:
    """The cause of a write."""

    # Returns the account that writes, None for a program; called on each write, as sign-in may come after the start.
    user: Callable[[], Any] = lambda: None
    request_id: str = ""  # names one request in answers, logs and history; empty outside of requests
    address: str | None = None  # of the client; None outside of requests, or if it is not known
    reason: str = ""  # the caller's, for the change; empty if none was given
    origin: str = ""  # the node that the change came from; empty if it was made here
    origin_user: str = ""  # who made the change there; empty if it was made here or by a program
    # Exceptions for single objects: `{Order: {pk: {"reason": …, "origin_user": …}}}`.
    rows: Mapping[Any, Mapping[Any, Mapping[str, str]]] = field(default_factory=dict)


_cause: ContextVar[Cause] = ContextVar("cause", default=Cause())  # noqa: B039 - it is frozen


def cause() -> Cause:
    """Return the cause of the writes in the current context."""
    return _cause.get()


def scope_of(user: object) -> list[str] | None:
    """Return the sorted permissions that the API key of `user` is limited to; None if nothing limits them."""
    scope = getattr(user, "scope", None)
    return None if scope is None else sorted(scope)


@contextmanager
def caused_by(cause: Cause) -> Iterator[None]:
    """Record `cause` with every write in this context."""
    token = _cause.set(cause)
    try:
        yield
    finally:
        _cause.reset(token)


@contextmanager
def because(reason: str) -> Iterator[None]:
    """Record `reason` with every write in this context; the rest of the cause stays as it was."""
    with caused_by(replace(_cause.get(), reason=reason)):
        yield


class RequestIdMiddleware:
    """Take the `X-Request-ID` of a trusted proxy, or make one if it is missing or unsafe; after its middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        header = request.headers.get(REQUEST_ID_HEADER, "")
        request_id = header if SAFE_REQUEST_ID.fullmatch(header) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        address = client_address(request)
        with caused_by(Cause(request_id=request_id, user=lambda: getattr(request, "user", None), address=address)):
            response = self.get_response(request)
        response[REQUEST_ID_HEADER] = request_id
        return response


class RequestIdFilter(logging.Filter):
    """Add `request_id` to each log record; `-` outside of requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        # Django logs a failed request after the middleware has finished, so that its cause is gone.
        request = getattr(record, "request", None)
        record.request_id = cause().request_id or getattr(request, "request_id", "") or "-"
        return True
