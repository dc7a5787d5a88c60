"""A real `manage.py worker` in a process group of its own."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 40


def database_url() -> str:
    """The test database, for another process."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return f"{os.environ['DATABASE_URL'].rsplit('/', 1)[0]}/{name}"


class Worker:
    """Runs while the context is open."""

    def __init__(self, **environment: str) -> None:
        self._environment = {**os.environ, "DATABASE_URL": database_url(), **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            sys.stdout.write(self.log.read_text()[-3000:])
        self.stop()

    @property
    def log(self) -> Path:
        return Path(settings.VAR_DIR) / "worker.log"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "worker", "--every", "0.2"],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """End the whole group at once, as a power cut would."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        """Ask it to end, and see that it does so well."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            status = self._process.wait(STOP_SECONDS)
        finally:
            self.kill()
        assert status == 0, self.log.read_text()[-3000:]
