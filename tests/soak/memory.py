"""The memory of a node's processes, shared pages counted once (Pss, proc_pid_smaps_rollup(5))."""

import re
import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.processes import sessions

PSS = re.compile(r"^Pss:\s+(\d+) kB$", re.M)


class Watch(threading.Thread):
    """Looks once a second at what the sessions use together, in bytes; `seen` is `(seconds since the start, bytes)`."""

    def __init__(self, leaders: set[int]) -> None:
        super().__init__(daemon=True)
        self.leaders = leaders
        self.seen: list[tuple[float, int]] = []
        self.over = threading.Event()

    def run(self) -> None:
        begun = time.monotonic()
        while not self.over.wait(1):
            used = sum(pss(pid) for pid, session in sessions() if session in self.leaders)
            self.seen.append((time.monotonic() - begun, used))

    def mean(self, begin: float, end: float) -> float:
        found = [used for at, used in self.seen if begin <= at < end]
        return sum(found) / len(found) if found else 0.0


def pss(pid: int) -> int:
    with suppress(OSError):
        found = PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
        return int(found[1]) * 1024 if found else 0
    return 0
