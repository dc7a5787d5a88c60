"""`make test`: test both databases at the same time; the output of all but one process comes at the end.

The tests of flows wait for other processes most of the time, so they run beside the others, in processes of their own.
`--all`, of `make check`, runs the slow tests too. `tests/real`, which needs more than `.venv`, has `make test-real`.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.nodes import ROOT

FLOWS = "tests/flows"
OTHERS = ["--ignore=tests/real", f"--ignore={FLOWS}"]


def main() -> int:
    options = [] if "--all" in sys.argv[1:] else ["--quick"]
    with tempfile.TemporaryDirectory() as folder:
        beside = [
            Run(Path(folder, "postgres"), "postgres", [*OTHERS, *options]),
            Run(Path(folder, "flows-sqlite"), "sqlite", [FLOWS, *options]),
            Run(Path(folder, "flows-postgres"), "postgres", [FLOWS, *options], suffix="_flows"),
        ]
        try:
            statuses = [subprocess.run(pytest("sqlite", [*OTHERS, *options]), cwd=ROOT).returncode]
        finally:
            # After Ctrl-C too, which all processes got: each stops the processes that it has started.
            others = [run.wait() for run in beside]
    return next(filter(None, [*statuses, *others]), 0)


class Run:
    """One run of tests beside the others.

    Args:
        suffix: of the database's name, where TEST_DATABASE_URL names one: two runs can't share it.
    """

    def __init__(self, output: Path, database: str, words: list[str], *, suffix: str = "") -> None:
        environment = dict(os.environ)
        if url := environment.get("TEST_DATABASE_URL"):
            environment["TEST_DATABASE_URL"] = f"{url}{suffix}"
        self._output = output
        with output.open("w") as file:
            self._process = subprocess.Popen(
                pytest(database, words), cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT
            )

    def wait(self) -> int:
        """Wait for the end, show the output, and return the exit status."""
        status = self._process.wait()
        sys.stdout.write(self._output.read_text())
        return status


def pytest(database: str, words: list[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", "--database", database, *words]


if __name__ == "__main__":
    sys.exit(main())
