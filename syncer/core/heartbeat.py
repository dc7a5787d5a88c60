"""Decides from the messages of a queue's processes when their cluster counts as dead. All times are seconds.

1. A task that passes through the whole queue, until its row is deleted, is a sign of life. Heartbeat tasks make sure
   that there is one every few seconds.
2. While all workers run long tasks, none can take a heartbeat, so the clock stops. It does not stop for short tasks:
   each should end with a sign of life, and a cluster whose results are no longer collected keeps working without one.
3. While the database is unreachable, no heartbeat can be queued, and silence proves nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

START = 60.0  # what a slow machine may need from the start to the first heartbeat, in addition to `heartbeat`
LOOK = 1.0  # the most that counts between two checks: a suspended watchdog has missed the messages meanwhile


@dataclass(kw_only=True)
class HeartbeatMonitor:
    """The signs of life of one cluster since its start."""

    workers: int  # processes
    heartbeat: float  # the silence after which the cluster counts as dead
    longest: float  # the time limit of a task; a worker that exceeds it no longer counts as busy
    silent: float = -START  # until now; negative while the cluster is starting
    has_heartbeat: bool = False  # there was a sign of life since the start
    busy: dict[int, float] = field(default_factory=dict)  # {process id: time since its task began}

    def hear(self, messages: Iterable[str]) -> None:
        """Take in messages: `+7`, process 7 began a task; `-7`, process 7 ended it; `!`, a task passed the queue."""
        for message in messages:
            if message == "!":
                self.silent, self.has_heartbeat = 0.0, True
            elif message[0] == "+":
                self.busy[int(message)] = 0.0
            else:
                self.busy.pop(-int(message), None)

    def wait(self, seconds: float, *, is_asked: bool, lives: Callable[[int], bool]) -> None:
        """Let time pass. `is_asked`: heartbeats could be queued in it; `lives`: is the process with this id alive?"""
        seconds = min(seconds, LOOK)
        self.busy = {pid: age + seconds for pid, age in self.busy.items() if age < self.longest and lives(pid)}
        if not is_asked:
            self.silent = min(self.silent, 0.0)
        elif not self.is_at_long_tasks:
            self.silent += seconds

    @property
    def is_at_long_tasks(self) -> bool:
        """Whether every worker runs a long task.

        A task is long after half of `heartbeat`, so that the silence before can't reach the limit.
        """
        return sum(age >= self.heartbeat / 2 for age in self.busy.values()) >= self.workers

    @property
    def is_dead(self) -> bool:
        return self.silent > self.heartbeat
