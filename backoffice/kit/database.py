"""Connections to the database, and errors of a database that can't be used now: a later try can succeed."""

import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError, connections

READ_ONLY = "25006"
CANCELED = "57014"
LOCK_NOT_AVAILABLE = "55P03"
# https://www.postgresql.org/docs/current/errcodes-appendix.html. Class 25 becomes an InternalError; most others, such
# as 53100 (disk full), 57P01 (shutdown) and 57P03 (starting up), an OperationalError. So does all that SQLite reports
# of a file that is locked, read-only or missing, and of a full disk.
INTERNAL = (READ_ONLY, "25P03", "25P04")  # read-only; a session that was ended for its idle, or its long, transaction
MISTAKE = "SQLITE_ERROR"  # of a statement, such as a table that is missing; SQLite has no other class for it
RETRY_SECONDS = 5
OPENED = "opened_file"  # the attribute of a connection that says which file it has opened
WHY = "The database can't be written just now. Nothing was saved; try again in a moment."
TOO_LONG = "The database took too long for this and was stopped. Nothing was saved; ask for less at once."


def sqlstate(error: BaseException | None) -> str:
    """Return the SQLSTATE of a database error, such as `25006`; empty on SQLite, and where the server sent none."""
    # The two generations of PostgreSQL's driver name it differently.
    cause = getattr(error, "__cause__", None)
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or ""


def is_unavailable(error: BaseException | None) -> bool:
    """Return whether the error says that the database can't be reached, or can't be written, now."""
    if isinstance(error, InternalError):
        return sqlstate(error) in INTERNAL
    if getattr(getattr(error, "__cause__", None), "sqlite_errorname", "") == MISTAKE:
        return False
    return isinstance(error, OperationalError | InterfaceError)


def took_too_long(error: BaseException | None) -> bool:
    """Return whether a statement was stopped because of its time."""
    return isinstance(error, OperationalError) and sqlstate(error) == CANCELED


def limit_statements(process: str) -> None:
    """Have PostgreSQL stop what takes too long, in all connections that this process makes from now on.

    On SQLite a statement runs in the process itself: it ends with it. Behind a pool, the pool limits its sessions.

    Args:
        process: a name of DATABASE_LIMITS.
    """
    if settings.DATABASE_POOLED:
        return
    names = ("statement_timeout", "lock_timeout")
    limits = zip(names, settings.DATABASE_LIMITS[process], strict=True)
    words = [f"-c {name}={seconds}s" for name, seconds in limits if seconds]
    for connection in connections.all():
        if connection.vendor == "postgresql":
            options = connection.settings_dict["OPTIONS"]  # of all threads
            options["options"] = " ".join([options.get("options", ""), *words]).strip()


def leave_read_only_session(
    execute: Callable[..., Any],
    sql: str,
    params: object,
    many: bool,  # noqa: FBT001 - Django's signature
    context: dict[str, Any],
) -> Any:
    """Run a statement; if its session is read-only, have Django replace the connection. Django's `execute_wrapper`.

    A session keeps the `default_transaction_read_only` that it began with, however the database is set since.
    """
    try:
        return execute(sql, params, many, context)
    except InternalError as error:
        if sqlstate(error) == READ_ONLY:
            context["connection"].close_at = 0  # seconds on a clock that has passed it: the connection is too old
        raise


def watch(*, connection: Any, **_: object) -> None:
    """Make a new connection leave read-only sessions, and note its file. Receives `connection_created`."""
    if leave_read_only_session not in connection.execute_wrappers:
        connection.execute_wrappers.append(leave_read_only_session)
    setattr(connection, OPENED, _file_of(connection))  # it is not Django's


# --- connections that are kept ---------------------------------------------------------------------------------------
TRUSTED_SECONDS = 1


def remember_use(**_: object) -> None:
    """Note when each connection was used last. Receives `request_finished`."""
    for connection in connections.all(initialized_only=True):
        connection.used_at = time.monotonic()  # type: ignore[attr-defined]


def trust_recent(**_: object) -> None:
    """Spare a connection that was used a moment ago Django's `SELECT 1`, a tenth of a read's time.

    Its server has not closed it, or its end would wait to be read. Receives `request_started`, after Django's receiver
    that has connections checked.
    """
    latest = time.monotonic() - TRUSTED_SECONDS
    for connection in connections.all(initialized_only=True):
        is_open = connection.vendor == "postgresql" and connection.connection is not None
        if is_open and getattr(connection, "used_at", latest) > latest and not _has_news(connection.connection):
            connection.health_check_done = True  # type: ignore[attr-defined]


def _has_news(session: Any) -> bool:
    """Return whether the session has ended, or the server sent something unasked, such as its goodbye."""
    if session.closed:
        return True
    waiting = select.poll()
    waiting.register(session.fileno(), select.POLLIN)
    return bool(waiting.poll(0))


def refresh_connections() -> None:
    """Close this thread's connections that can't be used any more; for programs that run for long.

    Django's `close_old_connections` closes each one of SQLite, and the next costs more than what is asked of it.
    """
    for connection in connections.all(initialized_only=True):
        if connection.connection is None or connection.in_atomic_block:
            continue
        if connection.vendor != "sqlite":
            connection.close_if_unusable_or_obsolete()
        elif connection.errors_occurred or getattr(connection, OPENED, None) != _file_of(connection):
            connection.close()


def _file_of(connection: Any) -> tuple[int, int] | None:
    """Return what distinguishes the file that is at SQLite's path now from all others; None: there is none."""
    if connection.vendor != "sqlite":
        return None
    try:
        file = Path(connection.settings_dict["NAME"]).stat()
    except OSError:  # it is missing, or the database is in memory
        return None
    return file.st_dev, file.st_ino
