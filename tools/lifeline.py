"""Start processes that end with their starter, also when that is killed: `subprocess.run(**tied(words))`.

Each of our processes has a pipe, its lifeline, that nobody writes to. It alone holds the writing end, so the kernel
closes that end with the process, however it ended; its children get the reading end, at which `guard.py` waits.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

GUARD = Path(__file__).with_name("guard.py")

_pipe = os.pipe()


def _forked() -> None:
    """Give a fork, which may outlive us, a lifeline of its own."""
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
    """Return arguments that tie a command and its process group to our life; its input is empty.

    The command leads a session of its own: the terminal's Ctrl-C reaches us alone, and we may kill its group.

    Args:
        folder: a folder to remove when the command has ended.
        user, group: the ids that it runs as; 0: as this process.
    """
    account = f"{user}:{group}" if user else ""
    guard = [sys.executable, "-I", "-S", str(GUARD), str(folder or ""), account]
    return Tied(args=[*guard, *map(str, words)], stdin=_pipe[0], start_new_session=True)
