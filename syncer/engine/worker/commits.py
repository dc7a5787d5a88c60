"""Ask whether anything was committed since the last time: cheap enough to ask twenty times a second.

It costs the writers nothing, and finds the commits of any client; see docs/adr/0016.
"""

import time
from contextlib import closing

from django.db import Error, connection

EVERY = 0.05  # seconds between two queries

# PostgreSQL: which transactions are over (https://www.postgresql.org/docs/current/functions-info.html).
# SQLite: a number that each commit by another connection moves (https://www.sqlite.org/pragma.html#pragma_data_version).
ASK = {"postgresql": "SELECT pg_current_snapshot()::text", "sqlite": "PRAGMA data_version"}


class Commits:
    """The commits that one thread has seen."""

    def __init__(self) -> None:
        self._seen: tuple[object, object] | None = None

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
        return self._seen is None or self._seen != before

    def wait(self, seconds: float) -> bool:
        """Wait until there may have been commits, but no longer than `seconds`; return whether there may have been."""
        deadline = time.monotonic() + seconds
        while not (come := self.have_come()) and time.monotonic() < deadline:
            time.sleep(EVERY)
        return come
