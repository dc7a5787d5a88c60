"""Several threads that do the same at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

Result = TypeVar("Result")
WAIT = 60  # seconds until all of them have started


def at_once(number: int, do: Callable[[int], Result]) -> list[Result]:
    """The results of `do(0)`, `do(1)` and so on, each in a thread of its own."""
    start = Barrier(number)

    def run(index: int) -> Result:
        start.wait(WAIT)
        try:
            return do(index)
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))
