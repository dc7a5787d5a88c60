"""`make mutants`; `ONLY=name` plants those whose names have that in them, `SHARE=1/2` the first of two halves.

Status 1: one survived, or an error.

`GREEN=1` says that their tests were just seen to pass; else they are run first where nothing is planted.
"""

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests import postgres
from tests.mutants.patch import Mutant, MutantError
from tests.mutants.runner import Ending, Runner
from tools.nodes import ROOT
from tools.run import say

SLOTS = 2  # copies, and cores
SECONDS = 180  # for one run of tests


def main() -> int:
    began, only = time.monotonic(), os.environ.get("ONLY", "")
    try:
        mutants = [Mutant.read(path) for path in sorted(Path(__file__).parent.glob("*.patch")) if only in path.stem]
    except MutantError as error:
        sys.exit(str(error))
    share, _, shares = os.environ.get("SHARE", "1/1").partition("/")
    mutants = mutants[int(share) - 1 :: int(shares)]
    if not mutants:
        sys.exit(f"No mutant has {only!r} in its name.")
    reports = []
    with tempfile.TemporaryDirectory(prefix="backoffice-mutants-") as name, _postgres(mutants):
        are_green = os.environ.get("GREEN") == "1"
        runner = Runner(root=ROOT, scratch=Path(name), slots=SLOTS, seconds=SECONDS, are_green=are_green)
        for report in runner.run(mutants):
            say(str(report))
            reports.append(report)
    if wrong := [report for report in reports if report.ending is not Ending.KILLED]:
        say("\n".join(["\nNot killed:", *map(str, wrong)]))
    endings = Counter(report.ending for report in reports)
    counts = ", ".join(f"{endings[ending]} {ending.lower()}" for ending in Ending)
    say(f"{counts} in {time.monotonic() - began:.0f} s")
    return int(bool(wrong))


@contextmanager
def _postgres(mutants: Sequence[Mutant]) -> Iterator[None]:
    """One server for all runs of tests, where one is needed and none is given."""
    if "TEST_DATABASE_URL" in os.environ or all(mutant.database != "postgres" for mutant in mutants):
        yield
        return
    with postgres.server() as url:
        os.environ["TEST_DATABASE_URL"] = url
        yield


if __name__ == "__main__":
    sys.exit(main())
