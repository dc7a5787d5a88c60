"""What the Fake API was asked, in the order of arrival."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

WRITES = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One request."""

    number: int  # 1 for the first request; goes on counting when the journal is cleared
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any  # the JSON that was sent; None if there was none, or it was never read
    raw: bytes = field(default=b"", repr=False)  # the same as it came, byte by byte
    at: float = field(default_factory=time.monotonic)  # seconds on the monotonic clock when it arrived
    status: int | None = None  # what was answered; None: nothing (yet)
    applied: bool = False  # the store was changed by it
    sign_in: bool = False  # it asked for a token, not for records
    fault: str = ""  # the name of the planned fault that it fell to; empty: none

    @property
    def is_write(self) -> bool:
        return self.method in WRITES and not self.sign_in


class Journal:
    """The entries, safe for threads; whoever waits is told of every change."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._entries: dict[int, Entry] = {}
        self._count = 0

    def add(self, **what: Any) -> int:
        """Note that a request arrived. Returns its number."""
        with self._changed:
            self._count += 1
            self._entries[self._count] = Entry(number=self._count, **what)
            self._changed.notify_all()
            return self._count

    def update(self, number: int, **what: Any) -> None:
        """Note what became of it, unless the journal was cleared since."""
        with self._changed:
            if number in self._entries:
                self._entries[number] = replace(self._entries[number], **what)
            self._changed.notify_all()

    def entries(self) -> list[Entry]:
        with self._changed:
            return list(self._entries.values())

    def clear(self) -> None:
        with self._changed:
            self._entries.clear()

    def wait_for(self, predicate: Callable[[], object], seconds: float) -> None:
        """Wait until `predicate()` is true; it is asked again after each change of the journal.

        Raises:
            TimeoutError: it was not within `seconds`; the message lists what had arrived.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: bool(predicate()), seconds):
                seen = "\n".join(f"{e.number} {e.method} {e.path} → {e.status}" for e in self._entries.values())
                raise TimeoutError(f"Not within {seconds} s. The remote has seen:\n{seen or 'nothing'}")
