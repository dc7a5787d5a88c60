"""Processes that end with whoever started them, also when that is killed outright: `subprocess.run(**tied(words))`.

Each process of ours has a pipe, its lifeline, to which nobody writes. It alone holds the writing end, so the kernel
closes that end with the process, whatever ended it; what it starts is given the reading end, at which `guard.py` waits.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

GUARD = Path(__file__).with_name("guard.py")

_pipe = os.pipe()


def _forked() -> None:
    """A fork may outlive us: it has a lifeline of its own."""
    global _pipe
    for end in _pipe:
        os.close(end)
    _pipe = os.pipe()


os.register_at_fork(after_in_child=_forked)


class Tied(TypedDict):
    """Keyword arguments for `subprocess.run` and `Popen`."""

    args: list[str]
    stdin: int
    start_new_session: bool


def tied(words: "Sequence[str | Path]", *, folder: Path | None = None, user: int = 0, group: int = 0) -> Tied:
    """Tie the life of a command, and of its whole process group, to ours; nothing can be read from its input.

    It leads a session of its own: the terminal's Ctrl-C reaches us alone, and we may kill its group.

    Args:
        folder: is removed when the command has ended.
        user, group: the numbers of whom it runs as; 0: as we are.
    """
    who = f"{user}:{group}" if user else ""
    guard = [sys.executable, "-I", "-S", str(GUARD), str(folder or ""), who]
    return Tied(args=[*guard, *map(str, words)], stdin=_pipe[0], start_new_session=True)
