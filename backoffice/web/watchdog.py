"""Ends this process when it is stuck; Granian starts another in its place.

Python's own watchdog thread needs no lock of the interpreter, so it also ends a process that some library blocks, and
first writes to the log where each thread is.
"""

import asyncio
import faulthandler
import time
from collections.abc import Callable
from threading import get_ident
from typing import TypeVar

from django.conf import settings

T = TypeVar("T")
LOOP_SECONDS = 60  # after which an event loop that does not turn is stuck

_begun: dict[int, float] = {}  # when each thread began what it works on


def timed(work: Callable[[], T]) -> T:
    """Do this work in a thread of its own, which is watched."""
    _begun[get_ident()] = time.monotonic()
    try:
        return work()
    finally:
        del _begun[get_ident()]


async def watch() -> None:
    """Put off the end of the process, as long as no thread has worked on one thing for WEB_STUCK_SECONDS."""
    try:
        while True:
            oldest = min([*_begun.values()], default=time.monotonic())
            if time.monotonic() - oldest < settings.WEB_STUCK_SECONDS:
                faulthandler.dump_traceback_later(LOOP_SECONDS, exit=True)
            await asyncio.sleep(LOOP_SECONDS / 10)
    finally:
        faulthandler.cancel_dump_traceback_later()
