"""The sweep: wake jobs that no worker took, fail or resume jobs whose worker is gone, and prune old jobs."""

from datetime import datetime, timedelta

from django.db.models import F

from backoffice.kit import clock, lease, waiting_files
from backoffice.kit.jobs.models import FIRST_WAKE_UP, Job, first_lease
from backoffice.kit.jobs.service import enqueue
from backoffice.kit.phrases import phrase

LONGEST = timedelta(seconds=60)
KEPT = timedelta(days=7)
FILE_KEPT = timedelta(seconds=waiting_files.KEPT)
STOPPED = phrase("Its worker stopped before the end; start it again.")


def sweep() -> int:
    """Wake queued jobs, and fail or resume those whose worker is gone; return how many.

    Every worker runs it every second or so. It only reads while there is nothing to do: on SQLite even a write that
    changes nothing waits for other writers.
    """
    now = clock.now()
    _prune(now)
    queued = Job.objects.filter(state=Job.State.QUEUED).order_by("created_at")
    woken = 0

    def until(job: Job) -> datetime:
        """Wait 5, 5, 10, 20 … 60 seconds between wake-ups, so that repeated tasks don't fill the queue."""
        return now + min(max(now - job.created_at, FIRST_WAKE_UP), LONGEST)

    for job in lease.take_expired(queued, now=now, until=until):
        enqueue(job)
        woken += 1
    lost = Job.objects.filter(lease.is_free(now), state=Job.State.RUNNING)
    if not lost.exists():
        return woken
    again = {"state": Job.State.QUEUED, "lease_until": first_lease(), "resumes": F("resumes") - 1}
    resumed = lost.filter(resumes__gt=0).update(**again)
    return woken + resumed + lost.update(state=Job.State.FAILED, error=STOPPED, finished_at=now)


def _prune(now: datetime) -> None:
    for job in Job.objects.filter(finished_at__lt=now - FILE_KEPT).exclude(file=""):
        waiting_files.remove(job.file)
        Job.objects.filter(pk=job.pk).update(file="")
    old = Job.objects.filter(finished_at__lt=now - KEPT)
    if old.exists():
        old.delete()
