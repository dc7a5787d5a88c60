"""What runs on this machine, as /proc has it. What has ended and was not collected yet does not run.

The guards of `tools/guard.py` are told apart: each group that we start has one, which ends a moment after it.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from tools.lifeline import GUARD

PROC = Path("/proc")


class Mark:
    """A variable of a process's environment, by which it and all that it started are found."""

    def __init__(self) -> None:
        self.environment = {"BACKOFFICE_TEST_MARK": uuid4().hex}
        self._word = f"BACKOFFICE_TEST_MARK={self.environment['BACKOFFICE_TEST_MARK']}".encode()

    def pids(self) -> set[int]:
        """All that live, with their guards."""
        return {pid for pid in _all() if self._word in _words(pid, "environ")}

    def at_work(self) -> set[int]:
        """All that live, without their guards."""
        return {pid for pid in self.pids() if not is_guard(pid)}

    def kill(self) -> None:
        """Kill all of them, also what they start meanwhile."""
        while left := self.pids():
            kill(*left)


def kill(*pids: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def is_guard(pid: int) -> bool:
    """And not its parent, which has yet to become the command."""
    with suppress(ProcessLookupError):
        return str(GUARD).encode() in _words(pid, "cmdline") and os.getpgid(pid) != pid
    return False


def is_resource_tracker(pid: int) -> bool:
    """Python's own helper, beside what multiprocessing starts in any other way than by a fork; it ends after them."""
    return any(b"multiprocessing.resource_tracker" in word for word in _words(pid, "cmdline"))


def sessions() -> Iterator[tuple[int, int]]:
    """`(process, its session)` of each but the guards; see proc_pid_stat(5)."""
    for pid in _all():
        with suppress(OSError):
            state, _, _, session = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[:4]
            if state != "Z" and not is_guard(pid):
                yield pid, int(session)


def _all() -> Iterator[int]:
    return (int(folder.name) for folder in PROC.iterdir() if folder.name.isdecimal())


def _words(pid: int, name: str) -> list[bytes]:
    """Empty if the process has ended."""
    try:
        return (PROC / str(pid) / name).read_bytes().split(b"\0")
    except OSError:
        return []
