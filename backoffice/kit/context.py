"""Who writes, and why: for logs, and for the history of what is written."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

REASON_LENGTH = 100  # characters, as many as a history row holds


def nobody() -> None:
    """The user of a program that nobody asked."""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why something is written.

    Attributes:
        user: returns the account that writes, or None; asked when something is written, for it may sign in until then.
        request_id: names one request in answers, logs and history; empty: nobody asked from outside.
        reason: what the caller gave as the reason of the change; empty: none.
        origin: the node that the change came from; empty: made here.
        origin_user: who made it there; empty: made here, or a program did.
        rows: what differs for single objects, `{Order: {pk: {"reason": …, "origin_user": …}}}`.
    """

    user: Callable[[], Any] = nobody
    request_id: str = ""
    reason: str = ""
    origin: str = ""
    origin_user: str = ""
    rows: Mapping[Any, Mapping[Any, Mapping[str, str]]] = field(default_factory=dict)


_cause: ContextVar[Cause] = ContextVar("cause", default=Cause())  # noqa: B039 - it is frozen


def cause() -> Cause:
    return _cause.get()


def scope_of(user: Any) -> list[str] | None:
    """What `user` may do at most, because of the key they came with, in order; None: all that they may."""
    scope = getattr(user, "scope", None)
    return None if scope is None else sorted(scope)


@contextmanager
def caused_by(found: Cause) -> Iterator[None]:
    token = _cause.set(found)
    try:
        yield
    finally:
        _cause.reset(token)


@contextmanager
def because(reason: str) -> Iterator[None]:
    """What is written within has this reason, apart from that the cause is as before."""
    with caused_by(replace(_cause.get(), reason=reason)):
        yield
