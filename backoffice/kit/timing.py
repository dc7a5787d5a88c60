"""The header `Server-Timing` (https://www.w3.org/TR/server-timing/), which browsers show beside each request.

Server-Timing: db;dur=1.9;desc="3 statements", total;dur=4.2
"""

import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponseBase


class Meter:
    """The number of statements and their seconds. Django's `execute_wrapper`."""

    def __init__(self) -> None:
        self.statements, self.seconds = 0, 0.0

    def __call__(self, execute: Callable[..., Any], *statement: Any) -> Any:
        begin = time.perf_counter()
        try:
            return execute(*statement)
        finally:
            self.statements += 1
            self.seconds += time.perf_counter() - begin


class ServerTimingMiddleware:
    """Tell what a request cost, in milliseconds. In development only: it would tell strangers what exists.

    What begins and ends a transaction is not counted, nor what a stream reads after its headers.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        begin, meter = time.perf_counter(), Meter()
        # Not Django's context manager: it removes the last wrapper, which may be one that a new connection got since.
        connection.execute_wrappers.append(meter)
        try:
            response = self.get_response(request)
        finally:
            connection.execute_wrappers.remove(meter)
        total, database = (1000 * seconds for seconds in (time.perf_counter() - begin, meter.seconds))
        response["Server-Timing"] = f'db;dur={database:.1f};desc="{meter.statements} statements", total;dur={total:.1f}'
        return response
