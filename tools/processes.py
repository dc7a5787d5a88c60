"""Starting processes and stopping all of them; they end with us, however we do: see `lifeline.py`."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tools.lifeline import tied

STOP_SECONDS = 15  # until a process that was asked to stop is killed


@dataclass(frozen=True, kw_only=True)
class Started:
    """A process that we started: what people call it, and the file that its output goes to."""

    title: str
    log: Path
    process: "subprocess.Popen[bytes]"


class Processes:
    """A context in which processes run; leaving it stops every one of them, and what they started."""

    def __init__(self) -> None:
        self.running: list[Started] = []

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(
        self, title: str, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, log: Path
    ) -> None:
        """Its output is added to `log`; its process group is the number in the `.pid` file beside it."""
        with log.open("ab") as output:
            process = subprocess.Popen(**tied(command), cwd=folder, env=environment, stdout=output, stderr=output)
        log.with_suffix(".pid").write_text(f"{process.pid}\n")
        self.running.append(Started(title=title, log=log, process=process))

    def ended(self) -> list[Started]:
        """Those that ended since the last time we asked."""
        gone = [one for one in self.running if one.process.poll() is not None]
        self.running = [one for one in self.running if one not in gone]
        for one in gone:
            kill_group(one.process.pid)
        return gone

    def stop(self) -> None:
        """Ask all of them to stop, wait, and kill what is left."""
        for one in self.running:
            with suppress(ProcessLookupError):
                one.process.terminate()
        until = time.monotonic() + STOP_SECONDS
        for one in self.running:
            with suppress(subprocess.TimeoutExpired):
                one.process.wait(timeout=max(0.0, until - time.monotonic()))
            kill_group(one.process.pid)
            one.process.wait()
        self.running = []


def kill_group(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
