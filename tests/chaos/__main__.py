"""`make chaos`: see the package's docstring. `SEED=` repeats the schedule of a run, `SECONDS=` shortens it."""

import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

import django

from tests import postgres
from tests.chaos import report, stage
from tools.run import say

SECONDS = 60.0


def main() -> int:
    """The exit status: 0, if every law held."""
    seed = os.environ.get("SEED") or str(secrets.randbelow(2**32))
    seconds = float(os.environ.get("SECONDS") or SECONDS)
    to = report.folder()
    say(f"Chaos with seed {seed}")
    with tempfile.TemporaryDirectory(prefix="backoffice-chaos-") as name, postgres.server() as database:
        var = Path(name)
        os.environ.update(stage.environment(database, var))
        django.setup()
        from tests.chaos.run import Chaos  # its models can be read only now

        found = Chaos(seed=seed, seconds=seconds, var=var).run()
        verdicts = found.pop("report")
        say(report.counts(found["counts"]))
        say(report.verdicts(verdicts))
        file = report.keep(found, to)
        shutil.copytree(var, to / "chaos", dirs_exist_ok=True, ignore=lambda _, names: [*filter(is_no_log, names)])
    say(f"All of it is in {file}, the logs beside it; `make chaos SEED={seed}` repeats the schedule.")
    return 0 if found["holds"] else 1


def is_no_log(name: str) -> bool:
    return not name.endswith(".log")


if __name__ == "__main__":
    sys.exit(main())
