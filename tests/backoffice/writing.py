"""Somebody else who writes: on SQLite, all others wait until the end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

LONGEST = 60  # seconds


@contextmanager
def somebody_writes() -> Iterator[None]:
    """Hold the one writer's lock of SQLite in another thread, until the end."""
    held, over = threading.Event(), threading.Event()

    def write() -> None:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            held.set()
            over.wait(LONGEST)
            cursor.execute("ROLLBACK")
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert held.wait(LONGEST)
        yield
    finally:
        over.set()
        writer.join()
