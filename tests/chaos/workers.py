"""The workers: real `manage.py worker` processes, each in a session of its own, started again when they end."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.chaos.audit import WORKER
from tests.chaos.schedule import WORKERS, What
from tests.chaos.stage import NICE
from tests.processes import sessions
from tools.lifeline import tied
from tools.nodes import ROOT

LOOK = 0.1  # seconds between two looks at who has ended
ORPHANS_END = 5.0  # seconds in which what is left of a dead worker must have exited with
STOP_SECONDS = 45
READY = "ready for work"  # in its log
HEARTBEAT = 6  # seconds of silence after which a worker's cluster is restarted


@dataclass(frozen=True, kw_only=True)
class Blow:
    """What was done to a worker; `at` is Unix time."""

    at: float
    what: What
    worker: int


class Worker:
    """One worker, through all its lives."""

    def __init__(self, number: int, var: Path) -> None:
        self.number, self.log = number, var / f"worker-{number}.log"
        self.is_frozen = False
        self.starts = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                **tied([*NICE, sys.executable, "manage.py", "worker", "--every=0.5", f"--heartbeat={HEARTBEAT}"]),
                cwd=ROOT,
                env={**os.environ, "LOG_LEVEL": "INFO", "PGAPPNAME": f"{WORKER}{self.number}"},
                stdout=log,
                stderr=log,
            )
        self.starts += 1

    @property
    def session(self) -> int:
        return self.process.pid if self.process else 0

    def pids(self) -> list[int]:
        """All its processes: whatever became of their parents, they are in its session."""
        return sorted(pid for pid, session in sessions() if session == self.session)

    def signal(self, number: signal.Signals, pids: list[int]) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """All of it, until nothing is left that could have been started meanwhile."""
        while pids := self.pids():
            self.signal(signal.SIGKILL, pids)
            if self.process:
                self.process.poll()
            time.sleep(0.01)


class Workers:
    """Runs all workers while the context is open, and starts again whoever ends."""

    def __init__(self, var: Path) -> None:
        self.all = [Worker(number, var) for number in range(WORKERS)]
        self.blows: list[Blow] = []  # what was done to them
        self.orphans = 0  # how many processes outlived the first of theirs
        self.left: list[int | None] = []  # exit statuses of those that were asked to stop in the end
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        for worker in self.all:
            worker.start()
        self._supervisor.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._supervisor.join()
        for worker in self.all:
            worker.kill()

    def wait_until_ready(self, seconds: float) -> None:
        """Raises TimeoutError."""
        until = time.monotonic() + seconds
        while not all(READY in worker.log.read_text(errors="replace") for worker in self.all):
            if time.monotonic() > until:
                raise TimeoutError(f"A worker was not ready in {seconds:g} s.")
            time.sleep(LOOK)

    def stop(self) -> None:
        """Ask all of them to end, and see how they do."""
        self._stop.set()
        self._supervisor.join()
        running = [worker.process for worker in self.all if worker.process]
        for process in running:
            process.terminate()
        until = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                self.left.append(process.wait(max(0.1, until - time.monotonic())))
            except subprocess.TimeoutExpired:
                self.left.append(None)

    def strike(self, what: What, number: int, pick: float) -> None:
        """Do that to the worker, or to the next that does not stand still."""
        with self._lock:
            worker = self.all[number]
            if what is What.THAW:
                self._thaw(worker)
                return
            worker = next(one for one in [*self.all[number:], *self.all] if not one.is_frozen)
            pids = worker.pids()
            if not pids:
                return
            self.blows.append(Blow(at=time.time(), what=what, worker=worker.number))
            match what:
                case What.KILL_GROUP:
                    worker.signal(signal.SIGKILL, pids)
                case What.KILL_ROOT:
                    worker.signal(signal.SIGKILL, [worker.session])
                case What.KILL_ONE:
                    others = [pid for pid in pids if pid != worker.session] or pids
                    worker.signal(signal.SIGKILL, [others[int(pick * len(others))]])
                case What.FREEZE:
                    worker.is_frozen = True
                    worker.signal(signal.SIGSTOP, pids)

    def _thaw(self, worker: Worker) -> None:
        """Whichever of them was frozen for that event."""
        for one in [worker, *self.all]:
            if one.is_frozen:
                one.is_frozen = False
                one.signal(signal.SIGCONT, one.pids())
                return

    def thaw_all(self) -> None:
        with self._lock:
            for worker in self.all:
                self._thaw(worker)

    def _supervise(self) -> None:
        """As Docker or systemd would: what ended is started again."""
        ended: dict[int, float] = {}
        while not self._stop.wait(LOOK):
            for worker in self.all:
                if worker.process and worker.process.poll() is not None and not worker.is_frozen:
                    since = ended.setdefault(worker.number, time.monotonic())
                    if (left := worker.pids()) and time.monotonic() - since < ORPHANS_END:
                        continue
                    self.orphans += len(left)
                    worker.kill()
                    del ended[worker.number]
                    worker.start()
