"""Reads from a streaming replica, where DATABASE_REPLICA_URL names one.

It answers only who can't write, so that nobody misses what he has just saved: API keys whose permissions are all of
reading. Everything else reads from the primary: pages, keys that can write, jobs, and whatever the sync engine does,
which never enters `answer`. See docs/adr/0038-who-cannot-write-reads-from-the-replica.md.
"""

import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.http import HttpRequest

from backoffice.kit.database import is_unavailable, took_too_long

ALIAS = "replica"
READING = {"view", "export"}  # the verbs of permissions that write nothing
LAG = 2.0  # seconds that the replica may be behind
ASK, AGAIN, REST = 1.0, 0.1, 5.0  # seconds until it is looked at again: it has caught up, is behind, can't be read
Answer = TypeVar("Answer")

# The primary's timeline is that of its WAL, the replica's that of its last restart point: after a fail-over it is used
# again once it has followed for some minutes, and never if it follows the dead primary.
PRIMARY = """
    SELECT (SELECT system_identifier FROM pg_control_system()),
        ('x' || left(pg_walfile_name(written), 8))::bit(32)::int, written - '0/0'::pg_lsn
    FROM pg_current_wal_insert_lsn() AS written
"""
REPLICA = """
    SELECT (SELECT system_identifier FROM pg_control_system()), (SELECT timeline_id FROM pg_control_checkpoint()),
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() - '0/0'::pg_lsn END
"""

_is_reading: ContextVar[bool] = ContextVar("is_reading", default=False)


class ReplicaRouter:
    """Routes the reads of `answer` to the replica. A router of Django's."""

    def db_for_read(self, model: object, **_: object) -> str:
        return ALIAS if _is_reading.get() else DEFAULT_DB_ALIAS

    def db_for_write(self, model: object, **_: object) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: object, other: object, **_: object) -> bool:
        return True

    def allow_migrate(self, db: str, *_: object, **__: object) -> bool:
        return db != ALIAS


class Replica:
    """What this process knows of the replica."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self._is_fresh, self._ask_at = False, 0.0
        self._written, self._written_at = 0, float("-inf")  # a position of the primary's WAL, and when it was there

    def has_caught_up(self) -> bool:
        """Return whether the replica has what the primary had LAG seconds ago; at most ASK seconds old."""
        if time.monotonic() >= self._ask_at and self._lock.acquire(blocking=False):
            try:
                self._is_fresh = False  # for the others, who don't wait
                self._is_fresh = self._compare()
            finally:
                self._ask_at = max(self._ask_at, time.monotonic() + (ASK if self._is_fresh else AGAIN))
                self._lock.release()
        return self._is_fresh

    def is_lost(self) -> None:
        """Leave the replica alone for a while: it could not be read."""
        self._is_fresh, self._ask_at = False, time.monotonic() + REST

    def _compare(self) -> bool:
        now = time.monotonic()
        cluster, timeline, written = _ask(DEFAULT_DB_ALIAS, PRIMARY)
        age = now - self._written_at
        earlier = self._written if age <= LAG else written
        if age > LAG / 2:
            self._written, self._written_at = written, now
        try:
            *same, replayed = _ask(ALIAS, REPLICA)
        except Error as error:
            if not is_unavailable(error):
                raise
            self.is_lost()
            return False
        return same == [cluster, timeline] and replayed is not None and replayed >= earlier


def _ask(alias: str, sql: str) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


replica = Replica()


def answer(request: HttpRequest, read: Callable[[], Answer]) -> Answer:
    """Return what `read` returns: from the replica, if the caller can't write and the replica has caught up.

    A replica that goes away meanwhile, or ends the read in favour of what it replays, is replaced by the primary.
    """
    is_replicated = ALIAS in settings.DATABASES and may_be_late(request) and replica.has_caught_up()
    if not is_replicated:
        return read()
    token = _is_reading.set(True)
    try:
        return read()
    except Error as error:
        if took_too_long(error) or not is_unavailable(error):
            raise
        replica.is_lost()
    finally:
        _is_reading.reset(token)
    return read()


def may_be_late(request: HttpRequest) -> bool:
    """Return whether the caller has no permission to write, and does not ask for what is newest."""
    scope = getattr(request.user, "scope", None)
    if scope is None or "no-cache" in request.headers.get("Cache-Control", ""):
        return False
    return all(name.partition(".")[2].partition("_")[0] in READING for name in scope)
