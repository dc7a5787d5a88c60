"""Writers that meet, each in a thread and a connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Thread
from typing import Any, TypeVar

from django.db import connection, transaction

from tests.flows.wait import until

Answer = TypeVar("Answer")
SECONDS = 120  # an end, not an expectation


def blocked_sessions() -> int:
    """Return how many sessions wait for a lock that another one holds, on PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return int(cursor.fetchone()[0])


class Other(Thread):
    """Works from now on in a database session of its own."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__()
        self.work = work
        self.result: Any = None
        self.failed: list[BaseException] = []
        self.start()

    def run(self) -> None:
        try:
            self.result = self.work()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self.failed.append(error)
        finally:
            connection.close()

    def end(self) -> Any:
        """Return what the work returned, once it has ended."""
        self.join(SECONDS)
        assert not self.is_alive()
        assert not self.failed
        return self.result


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
