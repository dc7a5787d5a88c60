"""Something that is done again and again beside the main thread."""

import logging
import threading
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, close_old_connections

log = logging.getLogger("syncer.engine.worker")
AWAY = 1.0  # seconds at least between two tries while the database is away
LOOKED_AFTER = 0.9  # seconds, so that it is each round of what is done once a second
LONGEST = 600.0  # seconds that one round may take; what hangs for longer is not expected back


class Loop(threading.Thread):
    """Repeat `action` until `stop`, then do `last`. The database may be away; any other error ends the loop and is
    logged.

    A daemon, for what hangs can't be ended.
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
        self._action, self._every, self._told, self._last = action, every, stop, last
        self._longest = longest
        self._round_at = time.monotonic()
        self._looked_after_at = -float("inf")

    def run(self) -> None:
        pause = self._every
        while not self._told.wait(pause):
            pause, self._round_at = self._every, time.monotonic()
            try:
                self._action()
            except (OperationalError, InterfaceError):
                log.warning("the database can't be reached; trying again", exc_info=True)
                pause, self._looked_after_at = max(AWAY, self._every), -float("inf")
            except Exception:
                log.exception("%s failed", self.name)
                return
            finally:
                self._look_after_connections()
        if self._last:
            self._last()
            close_old_connections()

    def _look_after_connections(self) -> None:
        """Not in each of many rounds a second: each then begins with a question whether the connection still works."""
        if self._round_at - self._looked_after_at >= LOOKED_AFTER:
            self._looked_after_at = self._round_at
            close_old_connections()

    @property
    def is_healthy(self) -> bool:
        return self.is_alive() and time.monotonic() - self._round_at < self._longest
