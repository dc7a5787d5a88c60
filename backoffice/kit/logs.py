"""The log as JSON, one object a line, for programs that collect and search it.

{"time": "2026-11-30T09:12:44.103+00:00", "level": "ERROR", "logger": "syncer.engine.runs", "message": "run 7 failed",
 "node": "store", "run": 7, "target": "shop", "trace": "Traceback (most recent call last): …"}

It holds neither names nor content: of a record only what is named here is written, since its other attributes may be
whole requests, and of an exception its type and places, since its text may quote what it failed on.
"""

import json
import logging
import os
import re
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from backoffice.kit.masking import LEAST, Mask

Names = Mapping[str, object]

ATTRIBUTES = ("method", "path", "status", "ms", "bytes", "user_id", "address")  # of the access log's records
# The texts of these name code and settings.
TELLING = (AttributeError, ImportError, ImproperlyConfigured, NameError, TypeError)
FRAME = re.compile(r'^ *File ".*", line \d+, in .*$', re.MULTILINE)
TRACEBACK = "Traceback (most recent call last):"

_about: ContextVar[Names] = ContextVar("about", default={})  # noqa: B039 - nobody changes it


@contextmanager
def about(**names: object) -> Iterator[None]:
    """Add these names to each event of this context, but empty ones: `about(run=7, target="shop")`."""
    token = _about.set({**_about.get(), **{name: value for name, value in names.items() if value}})
    try:
        yield
    finally:
        _about.reset(token)


def names_of(record: logging.LogRecord) -> dict[str, object]:
    """Return what a record is about: its request, run, target or job."""
    request = getattr(record, "request_id", "-")
    return {**({} if request == "-" else {"request_id": request}), **_about.get()}


def by(user: Any) -> str:
    """Return who did something as the log names them: `user 7`, or `command`."""
    return f"user {user.pk}" if user else "command"


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        message, trace = message_and_trace(record)
        event = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": message,
            "node": settings.NODE,
            **names_of(record),
            **{name: value for name in ATTRIBUTES if (value := getattr(record, name, "-")) != "-"},
            **({"trace": trace} if trace else {}),
        }
        return mask().hide(json.dumps(event, default=str))


@cache
def mask() -> Mask:
    """Return the mask of the secrets that this process was started with: of the settings, and of targets."""
    prefixes = tuple(settings.SECRET_REFERENCE_PREFIXES)
    of_targets = (value for name, value in os.environ.items() if name.startswith(prefixes))
    return Mask(secret for secret in (*settings.SECRETS, *of_targets) if len(secret) >= LEAST)


def message_and_trace(record: logging.LogRecord) -> tuple[str, str]:
    """Return the message of a record, and the trace of its exception; empty if there is none.

    The queue logs the failure of a task as a message that ends with a text and a traceback.
    """
    message = record.getMessage()
    if record.exc_info and (error := record.exc_info[1]):
        return message, trace_of(error)
    if TRACEBACK in message:
        return message.partition(" - ")[0], "\n".join([TRACEBACK, *FRAME.findall(message)])
    return message, ""


def trace_of(error: BaseException) -> str:
    """Return the traceback of an error and of those that led to it, the first one first."""
    parts: list[str] = []
    chain: BaseException | None = error
    while chain is not None:
        places = "".join(traceback.format_tb(chain.__traceback__))
        parts.insert(0, f"{TRACEBACK}\n{places}{described(chain)}")
        chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)
    return "\n\n".join(parts)


def described(error: BaseException) -> str:
    """Return the type of an error, and its text as far as that quotes no values: `ValueError`."""
    text = text_of(error)
    return type(error).__qualname__ + (f": {text}" if text else "")


def text_of(error: BaseException) -> str:
    """Return the text of an error, as far as it quotes no values; empty if it may.

    PostgreSQL quotes rows; its code, and the names of constraint, table and column, say as much.
    """
    if isinstance(error, TELLING):
        return str(error)
    if isinstance(error, OSError):
        return error.strerror or ""
    driver = error.__cause__ if error.__class__.__module__ == "django.db.utils" else error
    if name := getattr(driver, "sqlite_errorname", ""):
        return f"{name}: {driver}"
    if diagnosis := getattr(driver, "diag", None):
        names = (diagnosis.sqlstate, diagnosis.constraint_name, diagnosis.table_name, diagnosis.column_name)
        return " ".join(filter(None, names)) or str(driver).partition("\n")[0]  # no server answered
    return ""
