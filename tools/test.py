"""`make test`: test both databases at the same time, one core each; PostgreSQL's output comes after SQLite's.

`--all`, of `make check`, runs the slow tests too. `tests/real`, which needs more than `.venv`, has `make test-real`.
"""

import shutil
import subprocess
import sys
import tempfile

from tools.nodes import ROOT


def main() -> int:
    options = [] if "--all" in sys.argv[1:] else ["--quick"]
    with tempfile.TemporaryFile("w+") as kept:
        postgres = subprocess.Popen(pytest("postgres", options), cwd=ROOT, stdout=kept, stderr=subprocess.STDOUT)
        try:
            sqlite = subprocess.run(pytest("sqlite", options), cwd=ROOT).returncode
        finally:
            # After Ctrl-C too, which both processes got: each stops the processes that it has started.
            status = postgres.wait()
        kept.seek(0)
        shutil.copyfileobj(kept, sys.stdout)
    return sqlite or status


def pytest(database: str, options: list[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", "--ignore", "tests/real", "--database", database, *options]


if __name__ == "__main__":
    sys.exit(main())
