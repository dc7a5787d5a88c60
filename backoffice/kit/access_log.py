"""One line in the log `access` for each request: what was asked, what came of it, who asked and from where.

GET /api/news/posts/ 200 3.1 ms 1523 B user=7 192.0.2.1

Without the query: it may hold names and words of people. Health checks, scrapes and static files are left out. The time
is that until the answer begins; a stream's bytes are not known then.
"""

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponseBase
from django.utils.encoding import escape_uri_path
from django.utils.functional import SimpleLazyObject

from backoffice.kit.context import cause

log = logging.getLogger("access")
LINE = "%(method)s %(path)s %(status)s %(ms).1f ms %(bytes)s B user=%(user_id)s %(address)s"


class AccessLogMiddleware:
    """Comes after the middleware that knows the request's id and address, and before all others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not settings.ACCESS_LOG:
            raise MiddlewareNotUsed
        self.get_response = get_response
        self.left_out = ("/health/", "/metrics", settings.STATIC_URL)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        begin, path = time.perf_counter(), request.path
        response = self.get_response(request)
        if not path.startswith(self.left_out) and log.isEnabledFor(logging.INFO):
            values = {
                "method": request.method,
                "path": escape_uri_path(path),  # a line break in it would forge a line
                "status": response.status_code,
                "ms": round(1000 * (time.perf_counter() - begin), 1),
                "bytes": len(getattr(response, "content", "")) or "-",
                "user_id": _user_id(request) or "-",
                "address": cause().address or "-",
            }
            log.info(LINE, values, extra=values)
        return response


def _user_id(request: HttpRequest) -> object:
    """Return the key of whoever was found to ask; without looking in the session, which would cost a statement."""
    user = getattr(request, "user", None)
    if isinstance(user, SimpleLazyObject):
        user = getattr(request, "_cached_user", None)
    return getattr(user, "pk", None)
