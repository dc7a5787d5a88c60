"""Spans of OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT is set; else nothing is measured, loaded or sent.

A span holds names of ours, numbers and words of this program: no addresses, bodies, statements or texts of errors.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

CURE = "Install requirements/observability.txt, or leave the variable empty."


class Nothing:
    """Stands for a span where none is recorded."""

    def update_name(self, name: str) -> None: ...

    def set_attribute(self, name: str, value: object) -> None: ...


@contextmanager
def span(name: str, **attributes: str | int) -> Iterator[Any]:
    """Measure a block; spans in it belong to it. Yield the span, of which name and attributes can be changed.

    Args:
        attributes: get the prefix `backoffice.`
    """
    if (tracer := current_tracer()) is None:
        yield Nothing()
        return
    with tracer.start_as_current_span(
        name, attributes=_ours(attributes), record_exception=False, set_status_on_exception=False
    ) as made:
        try:
            yield made
        except BaseException as error:
            made.set_attribute("error.type", type(error).__qualname__)
            raise


def record(name: str, *, begin: datetime, seconds: float, **attributes: str | int) -> None:
    """Record what began then and took so long, as a part of the current span."""
    if (tracer := current_tracer()) is not None:
        nanoseconds = int(begin.timestamp() * 1e9)
        made = tracer.start_span(name, attributes=_ours(attributes), start_time=nanoseconds)
        made.end(end_time=nanoseconds + int(seconds * 1e9))


def _ours(attributes: Mapping[str, str | int]) -> dict[str, str | int]:
    return {f"backoffice.{name}": value for name, value in attributes.items()}


def current_tracer() -> Any:
    """Return the tracer of this process, None if nothing is to be sent.

    It is made at its first use: its thread does not live on in the processes that a worker forks.
    """
    return _tracer(os.getpid()) if settings.OTLP_ENDPOINT else None


@cache
def _tracer(_pid: int) -> Any:
    require()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.util.re import parse_env_headers

    resource = Resource({"service.name": settings.OTLP_SERVICE, "service.version": settings.RELEASE})
    provider = TracerProvider(resource=resource)
    headers = parse_env_headers(settings.OTLP_HEADERS, liberal=True)
    exporter = OTLPSpanExporter(endpoint=f"{settings.OTLP_ENDPOINT}/v1/traces", headers=headers)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider.get_tracer("backoffice")


def require() -> None:
    """Check that the packages are there.

    Raises:
        ImproperlyConfigured: they are not.
    """
    try:
        import opentelemetry.exporter.otlp.proto.http
        import opentelemetry.sdk.trace  # noqa: F401
    except ImportError:
        raise ImproperlyConfigured(
            f"OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry is not installed. {CURE}"
        ) from None
