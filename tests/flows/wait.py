"""Waiting for what another process does: a condition, with a bound."""

import threading
from collections.abc import Callable

SECONDS = 240  # an end, not an expectation, and less than what a test may take, so that it ends what it has started


def until(condition: Callable[[], object], *, seconds: float = SECONDS) -> None:
    """Ask until `condition` is true.

    Raises:
        AssertionError: it was not, within `seconds`.
    """
    pause = threading.Event()
    for _ in range(int(seconds / 0.1)):
        if condition():
            return
        pause.wait(0.1)
    raise AssertionError(f"not within {seconds} s: {condition}")
