"""The first page of operators: what needs them, every target, and the newest runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from syncer.models import Run
from syncer.reports.overview import Overview, overviews
from syncer.reports.summary import Summary, summary

RUNS = 8  # shown


@dataclass(frozen=True, kw_only=True)
class Home:
    """All targets at this moment."""

    summary: Summary
    overviews: Sequence[Overview]  # the one that needs a person most first
    runs: Sequence[Run]  # the newest first


def home() -> Home:
    """Return the state of all targets, read from the rows."""
    found = overviews()
    return Home(summary=summary(found), overviews=found, runs=list(Run.objects.select_related("target")[:RUNS]))
