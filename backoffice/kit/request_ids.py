"""Each request has an id: in its answer, in every line of the log, and on the history rows that it causes."""

import logging
import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from backoffice.kit.context import Cause, cause, caused_by

HEADER = "X-Request-ID"
SAFE = re.compile(r"[A-Za-z0-9._-]{1,64}")  # no more than a history row holds, and nothing that could forge a log line


class RequestIdMiddleware:
    """Take the caller's `X-Request-ID`, or make one where it is missing or not safe; stands before all others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "")
        request_id = given if SAFE.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        with caused_by(Cause(request_id=request_id, user=lambda: getattr(request, "user", None))):
            response = self.get_response(request)
        response[HEADER] = request_id
        return response


class RequestIdFilter(logging.Filter):
    """Give each log record its `request_id`; `-` outside of requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        # Django logs a request that failed after its middleware is done with it.
        request = getattr(record, "request", None)
        record.request_id = cause().request_id or getattr(request, "request_id", "") or "-"
        return True
