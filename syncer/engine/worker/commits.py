"""Whether anything was committed to the database since it was last asked: so cheap that it can be asked all the time.

Writers pay nothing for it, whoever they are, and however they are connected; see docs/adr/0016.
"""

import time
from typing import Any

from django.db import Error, connection

EVERY = 0.05  # seconds between two looks

# PostgreSQL: which transactions are over (https://www.postgresql.org/docs/current/functions-info.html).
# SQLite: a number that each commit by another connection moves (https://www.sqlite.org/pragma.html#pragma_data_version).
ASK = {"postgresql": "SELECT pg_current_snapshot()::text", "sqlite": "PRAGMA data_version"}


class Commits:
    """What one thread has seen of them."""

    def __init__(self) -> None:
        self._seen: tuple[Any, Any] | None = None

    def have_come(self) -> bool:
        """Whether some may have come since this was last asked; the first time, and on a new connection, always.

        True too where the database can't be asked: whoever looks then gets a new connection, or the error.
        """
        before, self._seen = self._seen, None
        try:
            with connection.cursor() as cursor:
                cursor.execute(ASK[connection.vendor])
                self._seen = connection.connection, cursor.fetchone()[0]  # SQLite's number is its connection's own
        except Error:
            connection.close_if_unusable_or_obsolete()
        return self._seen is None or self._seen != before

    def wait(self, seconds: float) -> None:
        """Until some have come, or for so long at most."""
        over = time.monotonic() + seconds
        while not self.have_come() and time.monotonic() < over:
            time.sleep(EVERY)
