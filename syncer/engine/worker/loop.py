"""A loop in a background thread."""

import logging
import threading
import time
from collections.abc import Callable

from django.db import connections

from backoffice.kit.database import is_unavailable, refresh_connections

log = logging.getLogger("syncer.engine.worker")
AWAY = 1.0  # seconds at least between two tries while the database can't be used
CHECK_EVERY = 0.9  # seconds between two checks of the connections: once in each round of a loop of one second
LONGEST = 600.0  # seconds that one round may take; after that the loop counts as hanging


class Loop(threading.Thread):
    """Repeat `action` every `every` seconds until `stop` is set, then call `last`.

    It goes on while the database can't be reached, or is read-only; any other error is logged and ends it. The thread
    is a daemon, because a thread that hangs can't be ended.
    """

    def __init__(
        self,
        action: Callable[[], object],
        *,
        every: float,
        stop: threading.Event,
        last: Callable[[], object] | None = None,
        longest: float = LONGEST,
    ) -> None:
        super().__init__(name=action.__qualname__, daemon=True)
        self._action, self._every, self._stop_event, self._last = action, every, stop, last
        self._longest = longest
        self._round_at = time.monotonic()
        self._checked_at = -float("inf")

    def run(self) -> None:
        try:
            self._repeat()
        finally:
            connections.close_all()

    def _repeat(self) -> None:
        pause = self._every
        while not self._stop_event.wait(pause):
            pause, self._round_at = self._every, time.monotonic()
            try:
                self._action()
            except Exception as error:
                if not is_unavailable(error):
                    log.exception("%s failed", self.name)
                    return
                log.warning("the database can't be used now; trying again", exc_info=True)
                pause, self._checked_at = max(AWAY, self._every), -float("inf")
            finally:
                if self._round_at - self._checked_at >= CHECK_EVERY:
                    self._checked_at = self._round_at
                    refresh_connections()  # the next query then tests if its connection works
        if self._last:
            self._last()

    @property
    def is_healthy(self) -> bool:
        """Whether the loop runs and its current round has not taken too long."""
        return self.is_alive() and time.monotonic() - self._round_at < self._longest
