"""What no wake-up sees to: jobs that nobody took, jobs whose worker is gone, and what is old."""

from datetime import datetime, timedelta

from django.conf import settings

from backoffice.kit import clock, waiting_files
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.service import enqueue

FIRST = timedelta(seconds=5)
LONGEST = timedelta(seconds=60)
KEPT = timedelta(days=7)
FILE_KEPT = timedelta(seconds=waiting_files.KEPT)
STOPPED = "Its worker stopped before the end; start it again."


def sweep() -> int:
    """Run every second or so, by every worker; how many jobs were woken or ended.

    It reads where there is nothing to do: on SQLite, a write that changes nothing waits for the others too.
    """
    now = clock.now()
    _prune(now)
    return _wake(now) + _end_lost(now)


def _wake(now: datetime) -> int:
    woken = 0
    for job in Job.objects.filter(state=Job.State.QUEUED, beat_at__lte=now - FIRST):
        # 5, 5, 10, 20 … 60 seconds apart: a long queue must not grow by wake-ups for what already waits in it.
        if now - job.beat_at < min(job.beat_at - job.created_at, LONGEST):
            continue
        waiting = Job.objects.filter(pk=job.pk, state=Job.State.QUEUED, beat_at=job.beat_at)
        if waiting.update(beat_at=now):
            enqueue(job)
            woken += 1
    return woken


def _end_lost(now: datetime) -> int:
    lost = Job.objects.filter(state=Job.State.RUNNING, beat_at__lt=now - timedelta(seconds=settings.SYNC_LEASE_SECONDS))
    return lost.update(state=Job.State.FAILED, error=STOPPED, finished_at=now) if lost.exists() else 0


def _prune(now: datetime) -> None:
    for job in Job.objects.filter(finished_at__lt=now - FILE_KEPT).exclude(file=""):
        waiting_files.remove(job.file)
        Job.objects.filter(pk=job.pk).update(file="")
    old = Job.objects.filter(finished_at__lt=now - KEPT)
    if old.exists():
        old.delete()
