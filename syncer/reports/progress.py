"""How far a run is, from the rows; of one that ended, what was stored then."""

from dataclasses import dataclass
from datetime import timedelta

from django.urls import reverse

from backoffice.kit import clock
from syncer.engine import summary
from syncer.models import Attempt, Run
from syncer.reports.workers import waiting_hint

LATE = timedelta(seconds=10)
SHOWN = 100  # failed objects


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A run at this moment.

    Attributes:
        total: objects that were due when it began; done: of those, the ones that are settled.
        counts: see `summary.counts`.
        message: how it stands, or how it ended, in one sentence.
        hint: what may be wrong, when nothing moves; empty: nothing.
        failures: the last exchange with each object that failed, newest first, `SHOWN` at most.
        more: failed objects that are not shown.
    """

    run: Run
    total: int
    done: int
    counts: dict[str, int]
    message: str
    hint: str
    failures: list[Attempt]
    more: int

    @property
    def is_open(self) -> bool:
        return self.run.state in Run.OPEN

    @property
    def percent(self) -> int:
        """Of a run without work: 100 once it ended."""
        if self.total == 0:
            return 0 if self.is_open else 100
        return 100 * self.done // self.total


def progress(run: Run) -> Progress:
    """How far `run` is."""
    is_open = run.state in Run.OPEN
    counts = summary.counts(run) if is_open else run.counts
    failures = list(summary.failures(run)[:SHOWN])
    done = 0 if run.state == Run.State.QUEUED else max(0, run.total - counts.get("left", 0))
    return Progress(
        run=run,
        total=run.total,
        done=done,
        counts=counts,
        message=_message(run, done),
        hint=_hint(run),
        failures=failures,
        more=max(0, counts.get("failed", 0) - len(failures)) if failures else 0,
    )


def _message(run: Run, done: int) -> str:
    if run.state == Run.State.QUEUED:
        return "Waiting for a worker."
    if run.state == Run.State.RUNNING:
        return f"{done} of {run.total} done." if run.total else "Looking for what changed."
    return run.message


def _hint(run: Run) -> str:
    if run.state == Run.State.QUEUED and run.created_at + LATE < clock.now():
        return waiting_hint()
    return ""


def runs_url(runs: list[Run]) -> str:
    """The page that shows this run; of several, their list."""
    if len(runs) == 1:
        return reverse("admin:syncer_run_change", args=[runs[0].pk])
    return f"{reverse('admin:syncer_run_changelist')}?pk__in={','.join(str(run.pk) for run in runs)}"
