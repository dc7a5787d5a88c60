"""A real `manage.py worker`, and all the processes that it started."""

import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

from django.conf import settings
from django.db import connection

from tests.flows.wait import SECONDS, until
from tests.processes import Mark, kill
from tools.lifeline import tied

ROOT = Path(__file__).parents[2]


def database_url() -> str:
    """The test database, for another process."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return f"{os.environ['DATABASE_URL'].rsplit('/', 1)[0]}/{name}"


class Worker:
    """Runs while the context is open. `options` are the command's, such as `--heartbeat=2`."""

    def __init__(self, *options: str, **environment: str) -> None:
        self._options = options
        self._mark = Mark()
        self._environment = {**os.environ, "DATABASE_URL": database_url(), **self._mark.environment, **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self._logged = self.log.stat().st_size if self.log.exists() else 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            sys.stdout.write(self.said[-3000:])
        self.stop()

    @property
    def log(self) -> Path:
        return Path(settings.VAR_DIR) / "worker.log"

    @property
    def said(self) -> str:
        """What was logged since it was made."""
        return self.log.read_bytes()[self._logged :].decode()

    @property
    def watchdog(self) -> int:
        """The number of the process that was started."""
        assert self._process
        return self._process.pid

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                **tied([sys.executable, "manage.py", "worker", "--every", "0.2", *self._options]),
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def processes(self) -> set[int]:
        """The numbers of all that live, but for the guard."""
        return self._mark.at_work()

    def children(self, pid: int) -> set[int]:
        return {child for child in self.processes() if _parent(child) == pid}

    def at(self, words: str) -> int:
        """The one living process of the cluster that logged `{words} at {its number}`, as soon as it has."""
        living: set[int] = set()

        def is_there() -> bool:
            nonlocal living
            living = {int(pid) for pid in re.findall(rf"{words} at (\d+)", self.said)} & self.processes()
            return len(living) == 1

        until(is_there)
        return living.pop()

    def kill(self) -> None:
        """End all of it at once, as a power cut would."""
        if self._process is None:
            return
        kill(self._process.pid, *self.processes())
        self._process.wait()
        self._process = None
        until(lambda: not self.processes())

    def wait(self) -> int:
        """Its exit status, once it has exited with."""
        assert self._process
        return self._process.wait(SECONDS)

    def stop(self) -> None:
        """Ask it to end, and see that it does so well and leaves nothing behind."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            status = self._process.wait(SECONDS)
            until(lambda: not self.processes())
        finally:
            self.kill()
        assert status == 0, self.said[-3000:]


def is_asleep(pid: int) -> bool:
    """It waits for something, and not only for its turn."""
    return _status(pid, "State").startswith("S")


def _parent(pid: int) -> int:
    """0 if it is gone."""
    return int(_status(pid, "PPid") or 0)


def _status(pid: int, name: str) -> str:
    """A line of /proc/{pid}/status; empty if the process is gone."""
    with suppress(OSError):
        if found := re.search(rf"^{name}:\t(.+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE):
            return found[1]
    return ""
