"""A sign of life, while a worker is at a job, however long one of its items takes."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from backoffice.kit import clock
from backoffice.kit.jobs.models import Job

log = logging.getLogger("backoffice.jobs")
BEATS = 6  # in the time after which a worker counts as gone


@contextmanager
def beating(pk: UUID) -> Iterator[None]:
    """Keep the job's `beat_at` young, from a thread with a connection of its own."""
    over = threading.Event()
    thread = threading.Thread(target=_beat, args=(pk, over), name=f"beat of job {pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _beat(pk: UUID, over: threading.Event) -> None:
    while not over.wait(settings.SYNC_LEASE_SECONDS / BEATS):
        try:
            Job.objects.filter(pk=pk, state=Job.State.RUNNING).update(beat_at=clock.now())
        except (OperationalError, InterfaceError):
            log.warning("job %s can't give a sign of life; trying again", pk, exc_info=True)
        finally:
            connection.close()
