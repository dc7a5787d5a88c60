"""Start processes and stop all of them; they end with this one, however it ends: see `lifeline.py`."""

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

STOP_SECONDS = 15  # from the request to stop until a process is killed


@dataclass(frozen=True, kw_only=True)
class Started:
    """A process that we started: its name for people, and the file of its output."""

    title: str
    log: Path
    process: "subprocess.Popen[bytes]"


class Processes:
    """A context in which processes run; leaving it stops each of them and its children."""

    def __init__(self) -> None:
        self.running: list[Started] = []

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(
        self, title: str, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, log: Path
    ) -> None:
        """Start a process, append its output to `log`, and write its process group to the `.pid` file beside it."""
        with log.open("ab") as output:
            process = subprocess.Popen(**tied(command), cwd=folder, env=environment, stdout=output, stderr=output)
        log.with_suffix(".pid").write_text(f"{process.pid}\n")
        self.running.append(Started(title=title, log=log, process=process))

    def ended(self) -> list[Started]:
        """Return the processes that ended since the last call, and kill the rest of their groups."""
        gone = [started for started in self.running if started.process.poll() is not None]
        self.running = [started for started in self.running if started not in gone]
        for started in gone:
            kill_group(started.process.pid)
        return gone

    def stop(self) -> None:
        """Ask all processes to stop, wait, and kill those that are left."""
        for started in self.running:
            with suppress(ProcessLookupError):
                started.process.terminate()
        until = time.monotonic() + STOP_SECONDS
        for started in self.running:
            with suppress(subprocess.TimeoutExpired):
                started.process.wait(timeout=max(0.0, until - time.monotonic()))
            kill_group(started.process.pid)
            started.process.wait()
        self.running = []


def kill_group(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
