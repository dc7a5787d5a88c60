"""How many requests came and how long they took, counted by this process; with others' of this host where they share.

Several web processes share their counts in files, in the folder PROMETHEUS_MULTIPROC_DIR, which `backoffice.web` makes.
"""

import os
import time
from collections.abc import Callable, Iterable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponseBase
from prometheus_client import CollectorRegistry, Histogram, Metric, disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector

from backoffice.kit import tracing

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 20)  # seconds
OTHER = "other"  # a method that is none of these; a path that is nobody's

disable_created_metrics()  # type: ignore[no-untyped-call] # a time for each series, which nobody asks for
registry = CollectorRegistry()
requests = Histogram(
    "backoffice_http_request_duration_seconds",
    "Seconds from when a thread took a request until its answer began, by route, method and class of status.",
    ["route", "method", "status"],
    buckets=BUCKETS,
    registry=registry,
)


class RequestsMiddleware:
    """Comes after the middleware that knows the request's id, and before all that may answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not (settings.METRICS_TOKEN or settings.OTLP_ENDPOINT):
            raise MiddlewareNotUsed
        self.get_response = get_response
        self.left_out = ("/health/", "/metrics", settings.STATIC_URL)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(self.left_out):
            return self.get_response(request)
        begin = time.perf_counter()
        method = request.method if request.method in METHODS else OTHER
        with tracing.span(method, request=getattr(request, "request_id", "")) as span:
            response = self.get_response(request)
            route = route_of(request)
            span.update_name(f"{method} {route}")
            span.set_attribute("http.response.status_code", response.status_code)
        status = f"{response.status_code // 100}xx"
        requests.labels(route, method, status).observe(time.perf_counter() - begin)
        return response


def route_of(request: HttpRequest) -> str:
    """Return the pattern that a request's path fits, such as `/api/news/posts/<int:pk>/`: there are few of them."""
    match = request.resolver_match
    return f"/{match.route}" if match else OTHER


def collect() -> Iterable[Metric]:
    """Return what was counted, by all processes that share the folder."""
    shared = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        return shared.collect()
    return registry.collect()
