"""A job in words and numbers, for its page."""

from datetime import timedelta
from typing import Any

from django.template.defaultfilters import pluralize

from backoffice.kit import clock
from backoffice.kit.jobs.models import Job

LATE = timedelta(seconds=10)


class Reading:
    def __init__(self, job: Job) -> None:
        self.job = job

    @property
    def items(self) -> str:
        """`3 of 10`; where the total is not known, `3`."""
        settled = self.job.done + self.job.failed
        return f"{settled:,}" if self.job.total is None else f"{settled:,} of {self.job.total:,}"

    @property
    def percent(self) -> int:
        job = self.job
        if job.state == Job.State.DONE:
            return 100
        return min(100, 100 * (job.done + job.failed) // job.total) if job.total else 0

    @property
    def message(self) -> str:
        """How it stands, in one sentence."""
        job = self.job
        if job.state == Job.State.QUEUED:
            return "Waiting for a worker."
        if job.state == Job.State.RUNNING:
            return f"{self.items} done." if job.total else "At work."
        if job.state == Job.State.FAILED:
            return job.error
        return f"Done; {job.failed:,} item{pluralize(job.failed)} failed." if job.failed else "Done."

    @property
    def hint(self) -> str:
        """What may be wrong, when nothing moves; empty: nothing."""
        if self.job.state == Job.State.QUEUED and self.job.created_at + LATE < clock.now():
            return "No worker has taken this yet; is “manage.py worker” running?"
        return ""

    @property
    def figures(self) -> list[tuple[str, int]]:
        """The numbers of the result: `[("new", 3), …]`."""
        return [(word, value) for word, value in self._result() if isinstance(value, int)]

    @property
    def texts(self) -> list[tuple[str, Any]]:
        """What else the work gave back."""
        return [(word, value) for word, value in self._result() if not isinstance(value, int)]

    def _result(self) -> list[tuple[str, Any]]:
        return [(key.replace("_", " "), value) for key, value in (self.job.result or {}).items()]

    def as_json(self) -> dict[str, Any]:
        """What the page shows, as its script reads it."""
        job = self.job
        return {
            "state": job.state,
            "label": job.get_state_display(),
            "open": job.is_open,
            "total": job.total,
            "done": job.done + job.failed,
            "percent": self.percent,
            "counts": {"done": job.done, "failed": job.failed},
            "message": self.message,
            "hint": self.hint,
        }
