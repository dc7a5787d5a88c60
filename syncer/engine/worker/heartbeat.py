"""The heartbeats that a watchdog queues for its cluster, and the row that shows others that it is healthy."""

import os
import socket
import time
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import DatabaseError, transaction
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from backoffice.kit import clock
from syncer.engine.worker.cluster import HEARTBEAT, PREFIX
from syncer.models import Worker

FORGOTTEN = timedelta(hours=1)  # a heartbeat that waited so long is of a host that is gone


class Heartbeats:
    """Of one watchdog. `silent` is for how many seconds its cluster has given no sign; None: it never did."""

    def __init__(self) -> None:
        self.id = uuid4()
        self.key = f"{PREFIX}{self.id.hex}"
        self.restarts = 0
        self.silent: float | None = None
        self._started: datetime | None = None
        self._put_at = -float("inf")

    def next(self) -> None:
        """Put the next heartbeat on the queue, where at most one waits, and note how the cluster does."""
        try:
            with transaction.atomic():
                now = clock.now()
                self._started = self._started or now
                # One that a cluster took and died with is not answered any more.
                OrmQ.objects.filter(key=self.key).delete()
                async_task(HEARTBEAT, task_name=self.key, cluster=self.key, save=False)
                self._note(now)
        except DatabaseError:
            self._put_at = -float("inf")
            raise
        self._put_at = time.monotonic()

    def are_put(self, *, within: float) -> bool:
        """The last one was put on the queue at most that many seconds ago."""
        return time.monotonic() - self._put_at < within

    def end(self) -> None:
        """Take away what was ours; not where the database is away: others will."""
        with suppress(DatabaseError), transaction.atomic():
            OrmQ.objects.filter(key=self.key).delete()
            Worker.objects.filter(pk=self.id).delete()

    def _note(self, now: datetime) -> None:
        if self.silent is not None:
            seen = {
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "started_at": self._started,
                "heartbeat_at": now - timedelta(seconds=self.silent),
                "restarts": self.restarts,
            }
            Worker.objects.update_or_create(pk=self.id, defaults=seen)
        Worker.objects.filter(heartbeat_at__lt=now - Worker.KEPT).delete()
        # By the clock of the queue, which is each host's own.
        forgotten = timezone.now() - FORGOTTEN
        OrmQ.objects.filter(key__startswith=PREFIX, lock__lt=forgotten).exclude(key=self.key).delete()
