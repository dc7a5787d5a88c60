"""What is known of the request, or of the job, that is being answered: for logs, and for the history that it causes."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why something is written.

    Attributes:
        request_id: names one request in answers, logs and history; empty: nobody asked from outside.
        reason: what the caller gave as the reason of the change; empty: none.
        origin: the node that the change came from; empty: made here.
        origin_user: who made it there; empty: made here, or a program did.
    """

    request_id: str = ""
    reason: str = ""
    origin: str = ""
    origin_user: str = ""


_cause: ContextVar[Cause] = ContextVar("cause", default=Cause())  # noqa: B039 - it is frozen


def cause() -> Cause:
    return _cause.get()


def request_id() -> str:
    """The current request's id; empty outside of requests. A column's default, so that each history row names it."""
    return _cause.get().request_id


def origin() -> str:
    """The node that the current change came from; a column's default, as `request_id`."""
    return _cause.get().origin


def origin_user() -> str:
    """Who made the current change at that node; a column's default, as `request_id`."""
    return _cause.get().origin_user


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
