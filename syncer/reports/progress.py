"""The progress of a run: read from the rows while it is open, from what was stored once it has ended."""

from dataclasses import dataclass
from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from backoffice.kit import clock
from backoffice.kit.numbers import grouped
from syncer.models import Run
from syncer.reports.words import spelled
from syncer.reports.workers import waiting_hint

LATE = timedelta(seconds=10)  # in the queue, before a hint is given


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A run at this moment."""

    run: Run
    total: int  # objects that were due when the run began
    done: int  # those of them that are settled
    counts: dict[str, int]  # see `Run.counts_now`
    message: str  # its state or its outcome, in one sentence
    hint: str  # what may be wrong with a run that no worker takes; else empty

    @property
    def is_open(self) -> bool:
        return self.run.is_open

    @property
    def percent(self) -> int:
        """The settled part of `total`, 0 to 100; of a run without work 100 once it has ended."""
        if self.total == 0:
            return 0 if self.is_open else 100
        return 100 * self.done // self.total

    @property
    def pace(self) -> str:
        """How fast it goes and how long it still takes: "120 a second, about 3 min 20 s left"; empty: not known."""
        length = self.run.duration
        if length is None:
            return ""
        if not self.is_open and length < timedelta(seconds=1):
            return _("It took less than a second.")
        if not self.is_open:
            return _("It took %(time)s.") % {"time": spelled(length)}
        if not self.done or length < timedelta(seconds=1):
            return ""
        rate = self.done / length.total_seconds()
        left = timedelta(seconds=(self.total - self.done) / rate)
        number = f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}"
        return _("%(rate)s a second, about %(time)s left") % {"rate": number, "time": spelled(left)}


def progress(run: Run) -> Progress:
    """Return the progress of `run`."""
    counts = run.counts_now() if run.is_open else run.counts
    done = max(0, run.total - counts.get("left", 0))
    message, hint = run.message, ""
    if run.state == Run.State.QUEUED:
        done, message = 0, _("Waiting for a worker.")
        hint = waiting_hint() if run.created_at + LATE < clock.now() else ""
    elif run.state == Run.State.RUNNING:
        message = _("Looking for what changed.")
        if run.total:
            message = _("%(done)s of %(total)s done.") % {"done": grouped(done), "total": grouped(run.total)}
        if run.cancelled_at:
            message = _("Cancelled by %(user)s; it ends once what is under way is answered.") % {
                "user": run.cancelled_by
            }
    return Progress(run=run, total=run.total, done=done, counts=counts, message=message, hint=hint)


def runs_url(runs: list[Run]) -> str:
    """Return the URL of the run's page; for several runs, that of the list of these runs."""
    if len(runs) == 1:
        return reverse("admin:syncer_run_change", args=[runs[0].pk])
    return f"{reverse('admin:syncer_run_changelist')}?pk__in={','.join(str(run.pk) for run in runs)}"
