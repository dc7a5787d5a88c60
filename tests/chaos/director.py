"""Lets the schedule happen: kills, freezes, cuts connections, takes remotes away. A thread of the main process."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from tests.chaos import audit
from tests.chaos.books import HELD
from tests.chaos.operator import Helper
from tests.chaos.schedule import AWAY, WORKERS, Event, What
from tests.chaos.workers import Workers
from tests.remote import Fault, Remote

CUT = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
THAW_AWAY = 0.7  # seconds
HELD_FOR = 0.7  # seconds for which an answer is held back; less than a client of ours waits
FIND = 1.5  # seconds in which a moment must come


@dataclass(frozen=True, kw_only=True)
class Outage:
    """Unix times between which a remote refused connections."""

    remote: str
    begin: float
    end: float


class Director(Helper):
    """Attributes:
    cuts: Unix times at which the database ended all connections.
    """

    def __init__(
        self, *, events: Sequence[Event], begin: float, workers: Workers, remotes: Mapping[str, Remote]
    ) -> None:
        super().__init__(name="director", daemon=True)
        self.cuts: list[float] = []
        self.outages: list[Outage] = []
        self._events, self._begin, self._workers, self._remotes = events, begin, workers, remotes

    def work(self) -> None:
        try:
            for event in self._events:
                time.sleep(max(0.0, self._begin + event.at - time.time()))
                self._let(event)
        finally:
            self._workers.thaw_all()

    def _let(self, event: Event) -> None:
        match event.what:
            case What.CUT:
                self._cut()
            case What.OUTAGE:
                self._away([event.remote], AWAY)
            case What.THAW:
                # What was checked before the freeze leaves now, far later than it may: that no engine can stop, see
                # docs/architecture.md. So no remote can be reached in this moment.
                self._away([*self._remotes], THAW_AWAY, event)
            case What.FREEZE:
                self._freeze(event)
            case _:
                self._find(audit.AT_WORK, event.worker)
                self._workers.strike(event.what, event.worker, event.pick)

    def _freeze(self, event: Event) -> None:
        """While answers are on their way: they are there when it goes on, and by then others have its work."""
        held = [
            remote.fault(Fault.HOLD, act=True, times=None, most=HELD_FOR, name=HELD)
            for remote in self._remotes.values()
        ]
        worker = self._find(audit.WAITING, event.worker, *range(WORKERS), when=lambda: any(one.is_met for one in held))
        self._workers.strike(event.what, worker, event.pick)
        for rule in held:
            rule.times = 0
            rule.release()

    def _find(self, question: str, *workers: int, when: Callable[[], bool] = lambda: True) -> int:
        """The first of them of which it is true, as soon as it is; in the end the first of all."""
        until = time.monotonic() + FIND
        with connection.cursor() as cursor:
            while time.monotonic() < until:
                for worker in workers if when() else ():
                    cursor.execute(question, {"who": f"{audit.WORKER}{worker}"})
                    if cursor.fetchone():
                        return worker
                time.sleep(0.02)
        return workers[0]

    def _cut(self) -> None:
        with connection.cursor() as cursor:
            self.cuts.append(time.time())
            cursor.execute(CUT)

    def _away(self, names: list[str], seconds: float, thaw: Event | None = None) -> None:
        begin = time.time()
        for name in names:
            self._remotes[name].stop()
        if thaw is not None:
            self._workers.strike(thaw.what, thaw.worker, thaw.pick)
        time.sleep(seconds)
        for name in names:
            start(self._remotes[name])
            self.outages.append(Outage(remote=name, begin=begin, end=time.time()))


def start(remote: Remote, tries: int = 50) -> None:
    """Its port may be a client's for a moment."""
    for left in reversed(range(tries)):
        try:
            remote.start()
        except OSError:
            if not left:
                raise
            time.sleep(0.1)
        else:
            return
