"""Writers that meet, each in a thread and a connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection, transaction

from tests.flows.wait import until

Answer = TypeVar("Answer")
SECONDS = 120  # an end, not an expectation


def blocked_sessions() -> int:
    """Return how many sessions wait for a lock that another one holds, on PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return int(cursor.fetchone()[0])


def closing(ask: Callable[[], Answer]) -> Answer:
    try:
        return ask()
    finally:
        connection.close()


def asked_meanwhile(ask: Callable[[], Answer], write: Callable[[], object]) -> Answer:
    """Return what `ask` returns, which waits for a lock that `write` holds until it is committed."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            write()
            answer = pool.submit(closing, ask)
            until(blocked_sessions)
        return answer.result(SECONDS)


def at_once(*calls: Callable[[], Answer]) -> list[Answer]:
    """Return what the calls return, which all begin at the same moment."""
    start = Barrier(len(calls))

    def call(ask: Callable[[], Answer]) -> Answer:
        start.wait()
        return closing(ask)

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls, timeout=SECONDS))
