"""When a queue's cluster counts as dead, from what its processes say of themselves. All times are seconds.

1. A task that came through the whole queue, to the row that is taken off it, is a sign of life. Heartbeats see to it
   that there is one every few seconds.
2. Workers that are all at long tasks take no heartbeat: the clock stands. It does not stand for short ones, for each
   that ends should give a sign: a cluster whose results nobody collects any more works on and gives none.
3. While no heartbeat can be put on the queue, since the database is away, silence means nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

START = 60.0  # what a slow machine may need from the start to the first heartbeat, beside `heartbeat`
LOOK = 1.0  # counted at most between two looks: who was suspended itself has not heard what was said


@dataclass(kw_only=True)
class HeartbeatMonitor:
    """One cluster since its start.

    Attributes:
        workers: how many there are.
        heartbeat: the silence after which it is dead.
        longest: what a task may take; a worker that says that it is at one for longer does not count.
        silent: the silence until now; less than 0: it is starting.
        has_heartbeat: it gave a sign since its start.
        busy: `{process: how long it has been at its task}`.
    """

    workers: int
    heartbeat: float
    longest: float
    silent: float = -START
    has_heartbeat: bool = False
    busy: dict[int, float] = field(default_factory=dict)

    def hear(self, messages: Iterable[str]) -> None:
        """`+7`: process 7 began a task. `-7`: it ended it. `!`: a task came through."""
        for message in messages:
            if message == "!":
                self.silent, self.has_heartbeat = 0.0, True
            elif message[0] == "+":
                self.busy[int(message)] = 0.0
            else:
                self.busy.pop(-int(message), None)

    def wait(self, seconds: float, *, is_asked: bool, lives: Callable[[int], bool]) -> None:
        """Time went by, in which heartbeats could be put on the queue or not. `lives` tells of a process whether it
        does.
        """
        seconds = min(seconds, LOOK)
        self.busy = {pid: age + seconds for pid, age in self.busy.items() if age < self.longest and lives(pid)}
        if not is_asked:
            self.silent = min(self.silent, 0.0)
        elif not self.is_at_long_tasks:
            self.silent += seconds

    @property
    def is_at_long_tasks(self) -> bool:
        """All workers are; half of `heartbeat` makes one long, so that the silence before is no death."""
        return sum(age >= self.heartbeat / 2 for age in self.busy.values()) >= self.workers

    @property
    def is_dead(self) -> bool:
        return self.silent > self.heartbeat
