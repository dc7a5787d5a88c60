"""`make test`: test both databases at the same time, each in several processes; their output comes one after the other.

Tests wait for other processes and for answers half of the time, so that two cores have work for more than two of them.
`--all`, of `make check`, runs the slow tests too. `tests/real`, which needs more than `.venv`, has `make test-real`.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.nodes import ROOT

DATABASES = ("sqlite", "postgres")
PARTS = ("tests/flows", "tests/syncer/targets/rest", "tests/syncer")
OTHERS = "tests"


def main() -> int:
    options = [] if "--all" in sys.argv[1:] else ["--quick"]
    with tempfile.TemporaryDirectory() as folder:
        runs = [
            Run(Path(folder), database, part, [*without(part), *options])
            for part in (OTHERS, *PARTS)
            for database in DATABASES
        ]
        # After Ctrl-C, which all processes got, each stops the processes that it has started.
        return next(filter(None, [run.wait() for run in runs]), 0)


def without(part: str) -> list[str]:
    """Return the options that leave the other parts out."""
    inner = [other for other in (*PARTS, "tests/real") if other != part and other.startswith(f"{part}/")]
    return [f"--ignore={other}" for other in inner]


class Run:
    """The tests of one part on one database, in a process of their own."""

    def __init__(self, folder: Path, database: str, part: str, options: list[str]) -> None:
        name = f"{part.replace('/', '_')}_{database}"
        environment = dict(os.environ)
        if url := environment.get("TEST_DATABASE_URL"):
            environment["TEST_DATABASE_URL"] = f"{url}_{name}"  # two runs can't share one
        self._output = folder / name
        with self._output.open("w") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pytest", "-q", "--database", database, part, *options],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait(self) -> int:
        """Wait for the end, show the output, and return the exit status."""
        try:
            return self._process.wait()
        finally:
            self._process.wait()
            sys.stdout.write(self._output.read_text())


if __name__ == "__main__":
    sys.exit(main())
