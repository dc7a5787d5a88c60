"""The cause of a write, its user and its reason: for logs, and for the history of what is written."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

REASON_LENGTH = 100  # characters, as many as a history row holds


def nobody() -> None:
    """Return None, the user of a program that acts on its own."""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """The cause of a write.

    Attributes:
        user: returns the account that writes, or None; called on each write, as sign-in may come after the start.
        request_id: names one request in answers, logs and history; empty outside of requests.
        reason: the caller's reason for the change; empty if none was given.
        origin: the node that the change came from; empty if it was made here.
        origin_user: the user who made the change there; empty if it was made here or by a program.
        rows: exceptions for single objects, `{Order: {pk: {"reason": …, "origin_user": …}}}`.
    """

    user: Callable[[], Any] = nobody
    request_id: str = ""
    reason: str = ""
    origin: str = ""
    origin_user: str = ""
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
