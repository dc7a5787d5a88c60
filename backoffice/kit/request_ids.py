"""Ids of requests: sent in the answer, logged with every line, and kept in the history rows that the request causes."""

import logging
import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from backoffice.kit.context import Cause, cause, caused_by

HEADER = "X-Request-ID"
SAFE = re.compile(r"[A-Za-z0-9._-]{1,64}")  # fits a history row, and can't forge a line of the log


class RequestIdMiddleware:
    """Take the caller's `X-Request-ID`, or make one if it is missing or unsafe; the first of the middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        header = request.headers.get(HEADER, "")
        request_id = header if SAFE.fullmatch(header) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        with caused_by(Cause(request_id=request_id, user=lambda: getattr(request, "user", None))):
            response = self.get_response(request)
        response[HEADER] = request_id
        return response


class RequestIdFilter(logging.Filter):
    """Add `request_id` to each log record; `-` outside of requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        # Django logs a failed request after the middleware has finished, so that its cause is gone.
        request = getattr(record, "request", None)
        record.request_id = cause().request_id or getattr(request, "request_id", "") or "-"
        return True
