"""`make test`: test both databases in a few processes at the same time; all but the first show their output at the end.

The tests of flows wait for other processes most of the time, so they have a process of their own.
`make test` gives `--quick`, `make check` `--once`, `make test-all` neither (`tests/databases.py`). `tests/real`,
`tests/browser` and `tests/deploy`, which need more than `.venv`, have `make test-real`, `test-browser`, `lint-deploy`.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tools.nodes import ROOT

FLOWS, SYNCER = "tests/flows", "tests/syncer"
OTHERS = ["tests", *(f"--ignore={folder}" for folder in (FLOWS, SYNCER, "tests/browser", "tests/deploy", "tests/real"))]
Part = tuple[str, Sequence[str]]  # the database, and what is tested on it
PARTS: Sequence[Part] = (  # the longest first, but for one that waits most of the time
    ("sqlite", OTHERS),
    ("postgres", [SYNCER]),
    ("sqlite", [SYNCER]),
    ("sqlite", [FLOWS]),
    ("postgres", OTHERS),
    ("postgres", [FLOWS]),
)
AT_ONCE = 5  # parts: more than cores, for each waits now and then, and the last one should not run alone


def main() -> int:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return max(pool.map(run, range(len(PARTS))))


def run(number: int) -> int:
    """Run a part; return 0 if all its tests passed."""
    database, words = PARTS[number]
    environment = dict(os.environ)
    if url := environment.get("TEST_DATABASE_URL"):
        environment["TEST_DATABASE_URL"] = f"{url}_{number}"  # two runs can't share one
    command = [sys.executable, "-m", "pytest", "-q", "--database", database, *words, *sys.argv[1:]]
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdout=None if number == 0 else subprocess.PIPE,
        stderr=None if number == 0 else subprocess.STDOUT,
        text=True,
    )
    sys.stdout.write(ended.stdout or "")
    sys.stdout.flush()
    return abs(ended.returncode)


if __name__ == "__main__":
    sys.exit(main())
