"""Answers that the Fake API gives again to who repeats a POST under its Idempotency-Key.

https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from tests.remote.api import Answer, Call

OTHER = Answer(422, {"detail": "This Idempotency-Key came with another body."})


class Keys:
    """The keys of one Fake API."""

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds  # how long a key is remembered; None: always
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], tuple[bytes, Answer, float]] = {}

    def answer(self, call: Call, work: Callable[[], Answer]) -> Answer:
        """The first answer to the call's key, `work()` where there is none; 422 to the same key with another body."""
        name = (call.path, call.headers["Idempotency-Key"])
        with self._lock:
            if (kept := self._kept.get(name)) and not self._is_over(kept[2]):
                return replace(kept[1], applied=False) if kept[0] == call.raw else OTHER
            answer = work()
            self._kept[name] = (call.raw, answer, time.monotonic())
            return answer

    def _is_over(self, since: float) -> bool:
        return self.seconds is not None and time.monotonic() - since > self.seconds
