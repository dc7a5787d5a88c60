"""Errors that are logged, sent to Sentry where SENTRY_DSN is set: what the log as JSON says of them, and no more."""

import json
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from backoffice.kit.logs import mask, message_and_trace, names_of, text_of
from backoffice.kit.tracing import CURE

# An event has these parts of its own; all others, such as variables, modules and breadcrumbs, are left out.
KEPT = ("event_id", "timestamp", "platform", "level", "logger", "release", "environment", "server_name", "sdk")
FRAME = (
    "filename",
    "module",
    "function",
    "lineno",
    "context_line",
    "pre_context",
    "post_context",
    "in_app",
)


def start() -> None:
    """Send what is logged as an error from now on, in this process and those that it forks.

    Raises:
        ImproperlyConfigured: the package is not installed, or the DSN is not one.
    """
    if not settings.SENTRY_DSN:
        return
    try:
        import sentry_sdk
        from sentry_sdk.integrations.atexit import AtexitIntegration
        from sentry_sdk.integrations.dedupe import DedupeIntegration
        from sentry_sdk.integrations.excepthook import ExcepthookIntegration
        from sentry_sdk.integrations.logging import LoggingIntegration
        from sentry_sdk.utils import BadDsn
    except ImportError:
        raise ImproperlyConfigured(f"SENTRY_DSN is set, and sentry-sdk is not installed. {CURE}") from None
    quiet = AtexitIntegration(callback=lambda _pending, _timeout: None)
    try:
        sentry_sdk.init(
            dsn=settings.SENTRY_DSN,
            release=settings.RELEASE,
            environment=settings.MODE,
            server_name=settings.NODE,
            default_integrations=False,
            integrations=[LoggingIntegration(level=None), ExcepthookIntegration(), DedupeIntegration(), quiet],
            before_send=scrubbed,
            include_local_variables=False,
            max_breadcrumbs=0,
            max_request_body_size="never",
            auto_session_tracking=False,
            send_client_reports=False,
            enable_backpressure_handling=False,
        )
    except BadDsn:
        raise ImproperlyConfigured("SENTRY_DSN is not one: copy it whole, https://KEY@HOST/PROJECT.") from None


def scrubbed(event: Any, hint: dict[str, Any]) -> Any:
    """Return an event of what may leave this node: texts of exceptions and arguments of messages may hold content."""
    kept = {name: event[name] for name in KEPT if name in event}
    kept["tags"] = {"node": settings.NODE}
    if record := hint.get("log_record"):
        kept["logentry"] = {"message": message_and_trace(record)[0]}
        kept["tags"] |= {name: str(value) for name, value in names_of(record).items()}
    if "exception" in event:
        errors = {type(error).__qualname__: error for error in _chain(hint.get("exc_info", (None, None))[1])}
        values = event["exception"].get("values", [])
        kept["exception"] = {"values": [_exception(value, errors) for value in values]}
    return json.loads(mask().hide(json.dumps(kept, default=str)))


def _exception(value: dict[str, Any], errors: dict[str, BaseException]) -> dict[str, Any]:
    error = errors.get(value.get("type") or "")
    frames = (value.get("stacktrace") or {}).get("frames", [])
    return {
        "type": value.get("type"),
        "module": value.get("module"),
        "value": text_of(error) if error else "",
        "stacktrace": {"frames": [{name: frame[name] for name in FRAME if name in frame} for frame in frames]},
    }


def _chain(error: BaseException | None) -> list[BaseException]:
    """Return an error and those that led to it."""
    return [] if error is None else [error, *_chain(error.__cause__ or error.__context__)]
