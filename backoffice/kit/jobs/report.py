"""A job in words and numbers, for its page."""

from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.kit import clock
from backoffice.kit.jobs.models import Job
from backoffice.kit.numbers import grouped
from backoffice.kit.phrase_field import localized

LATE = timedelta(seconds=10)


class Report:
    """The texts and figures that a page shows of a job."""

    def __init__(self, job: Job) -> None:
        self.job = job

    @property
    def items(self) -> str:
        """The number of settled items: `3 of 10`; if the total is not known, `3`."""
        settled = self.job.done + self.job.failed
        if self.job.total is None:
            return grouped(settled)
        return _("%(settled)s of %(total)s") % {"settled": grouped(settled), "total": grouped(self.job.total)}

    @property
    def percent(self) -> int:
        """The settled items in percent; 0 if the total is not known."""
        job = self.job
        if job.state == Job.State.DONE:
            return 100
        return min(100, 100 * (job.done + job.failed) // job.total) if job.total else 0

    @property
    def message(self) -> str:
        """The state in one sentence."""
        job = self.job
        if job.state == Job.State.QUEUED:
            return _("Waiting for a worker.")
        if job.state == Job.State.RUNNING:
            return _("%(items)s done.") % {"items": self.items} if job.total else _("At work.")
        if job.state == Job.State.FAILED:
            return localized(job.error)
        if not job.failed:
            return _("Done.")
        text = ngettext("Done; %(number)s item failed.", "Done; %(number)s items failed.", job.failed)
        return text % {"number": grouped(job.failed)}

    @property
    def hint(self) -> str:
        """A possible cause why the job does not start; empty: none is known."""
        if self.job.state == Job.State.QUEUED and self.job.created_at + LATE < clock.now():
            return _("No worker has taken this yet; is “manage.py worker” running?")
        return ""

    @property
    def counts(self) -> list[tuple[str, str, int]]:
        """How many items are settled, each with its name in `as_json` and the word for it."""
        return [("done", _("done"), self.job.done), ("failed", _("failed"), self.job.failed)]

    @property
    def figures(self) -> list[tuple[str, int]]:
        """The numbers of the result: `[("new", 3), …]`."""
        return [(word, value) for word, value in self._result() if isinstance(value, int)]

    @property
    def texts(self) -> list[tuple[str, object]]:
        """The values of the result that are not numbers."""
        return [(word, value) for word, value in self._result() if not isinstance(value, int)]

    def _result(self) -> list[tuple[str, object]]:
        return [(_(key.replace("_", " ")), value) for key, value in (self.job.result or {}).items()]

    def as_json(self) -> dict[str, object]:
        """Return what the page shows, in the form that its script reads."""
        job = self.job
        return {
            "state": job.state,
            "label": job.get_state_display(),
            "open": job.is_open,
            "total": job.total,
            "done": job.done + job.failed,
            "percent": self.percent,
            "counts": {name: number for name, _word, number in self.counts},
            "message": self.message,
            "hint": self.hint,
        }
