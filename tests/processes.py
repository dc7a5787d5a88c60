"""What runs on this machine, as /proc has it. What has ended and was not collected yet does not run.

The guards of `tools/guard.py` are told apart: each group that we start has one, which ends a moment after it.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tools.lifeline import GUARD

PROC = Path("/proc")


def marked(mark: str) -> set[int]:
    """Whose environment has `mark`, a `NAME=value`: all that was started with it, and what these started."""
    return {pid for pid in _all() if mark.encode() in _words(pid, "environ")}


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
