"""What processes used, as Linux's /proc tells: CPU time and memory, see proc(5)."""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from bench.stage import Server

PROC = Path("/proc")
TICK = 1 / os.sysconf("SC_CLK_TCK")  # seconds


def _stat(pid: int) -> list[str]:
    """Return the fields of a process after its name: its state, its parent, …

    Raises:
        OSError: it has ended.
    """
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def family(*pids: int) -> set[int]:
    """Return the processes `pids` and all their descendants."""
    parents: dict[int, int] = {}
    for folder in PROC.iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):
                parents[int(folder.name)] = int(_stat(int(folder.name))[1])
    found = set(pids) & parents.keys()
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _own(pid: int) -> float:
    """Return the CPU seconds of a process and of its children that have ended."""
    return sum(map(int, _stat(pid)[11:15])) * TICK


class Meter:
    """Tells the CPU seconds of some processes with their descendants, and of the backends of some databases.

    Without processes, it is this one, without its descendants. A backend that has ended counts with what it had used
    when it was seen last.
    """

    def __init__(self, server: Server, databases: str | Sequence[str], pids: Iterable[int] = ()) -> None:
        self._server, self._pids = server, tuple(pids)
        self._databases = [databases] if isinstance(databases, str) else databases
        self.backends: dict[int, float] = {}

    def __call__(self) -> float:
        for pid in self._server.backends(self._databases):
            with suppress(OSError):
                self.backends[pid] = _own(pid)
        own = sum(self._processes()) if self._pids else time.process_time()
        return own + sum(self.backends.values())

    def _processes(self) -> Iterator[float]:
        for pid in family(*self._pids):
            with suppress(OSError):
                yield _own(pid)


def proportional_memory(pids: Iterable[int]) -> int:
    """Return the bytes of memory of some processes, with their share of what they share (PSS)."""
    found = 0
    for pid in pids:
        with suppress(OSError):
            lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
            found += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return found


def peak_memory() -> int:
    """Return the most bytes that this process ever had in memory."""
    lines = (PROC / "self" / "status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def backend_cpu(pid: int) -> float:
    """Return the CPU seconds of a backend of PostgreSQL."""
    return _own(pid)
