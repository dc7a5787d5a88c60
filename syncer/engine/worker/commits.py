"""Ask whether anything was committed since the last time: cheap enough to ask twenty times a second.

Even so, most of what an idle node does is to ask. So it asks less often once nothing has come for a while.

It costs the writers nothing, and finds the commits of any client; see docs/adr/0016.
"""

import time
from contextlib import closing

from django.db import Error, connection

EVERY = 0.05  # seconds between two queries
SELDOM = 0.2  # seconds between them while nothing comes
QUIET = 0.5  # seconds without a commit, after which nothing comes

# PostgreSQL: which transactions are over (https://www.postgresql.org/docs/current/functions-info.html).
# SQLite: a number that each commit by another connection moves (https://www.sqlite.org/pragma.html#pragma_data_version).
ASK = {"postgresql": "SELECT pg_current_snapshot()::text", "sqlite": "PRAGMA data_version"}


class Commits:
    """The commits that one thread has seen."""

    def __init__(self) -> None:
        self._seen: tuple[object, object] | None = None
        self._come_at = time.monotonic()

    def have_come(self) -> bool:
        """Return whether there may have been commits since the last call; always True on a new connection.

        Also True where the database can't be reached: the caller's next query gets a new connection, or the error.
        The driver's own cursor is used: Django's costs more than the statement.
        """
        before, self._seen = self._seen, None
        try:
            connection.ensure_connection()
            with connection.wrap_database_errors, closing(connection.connection.cursor()) as cursor:
                cursor.execute(ASK[connection.vendor])
                self._seen = connection.connection, cursor.fetchone()[0]  # SQLite's number is its connection's own
        except Error:
            connection.close_if_unusable_or_obsolete()
        if come := self._seen is None or self._seen != before:
            self._come_at = time.monotonic()
        return come

    @property
    def pause(self) -> float:
        """The seconds until the next query."""
        return EVERY if time.monotonic() - self._come_at < QUIET else SELDOM

    def wait(self, seconds: float) -> bool:
        """Wait until there may have been commits, but no longer than `seconds`; return whether there may have been."""
        deadline = time.monotonic() + seconds
        while not (come := self.have_come()) and time.monotonic() < deadline:
            time.sleep(self.pause)
        return come
