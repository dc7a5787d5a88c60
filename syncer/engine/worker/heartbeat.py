"""The heartbeats that a watchdog queues for its cluster, and the row that shows pages that the worker is healthy."""

import os
import socket
import time
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import Error, transaction
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from backoffice.kit import clock
from syncer.engine.worker.cluster import HEARTBEAT, PREFIX
from syncer.models import Worker

FORGOTTEN = timedelta(hours=1)  # the host of a heartbeat that has waited this long is gone


class Heartbeats:
    """The heartbeats of one watchdog."""

    def __init__(self, id: UUID | None = None, restarts: int = 0) -> None:  # noqa: A002
        self.id = id or uuid4()
        self.key = f"{PREFIX}{self.id.hex}"  # of its heartbeats in the queue
        self.restarts = restarts  # of its cluster
        self.silent: float | None = None  # seconds since the cluster's last sign of life; None: there was none yet
        self._started: datetime | None = None
        self._put_at = -float("inf")

    def next(self) -> None:
        """Queue the next heartbeat, of which at most one waits, and record the state of the cluster."""
        try:
            with transaction.atomic():
                now = clock.now()
                self._started = self._started or now
                # Nothing answers a heartbeat whose cluster took it and died.
                OrmQ.objects.filter(key=self.key).delete()
                async_task(HEARTBEAT, task_name=self.key, cluster=self.key, save=False)
                self._record(now)
        except Error:
            self._put_at = -float("inf")
            raise
        self._put_at = time.monotonic()

    def are_put(self, *, within: float) -> bool:
        """Return whether the last heartbeat was queued at most `within` seconds ago."""
        return time.monotonic() - self._put_at < within

    def end(self) -> None:
        """Delete our heartbeat and our row. If the database can't be used, other workers delete them later."""
        with suppress(Error), transaction.atomic():
            OrmQ.objects.filter(key=self.key).delete()
            Worker.objects.filter(pk=self.id).delete()

    def _record(self, now: datetime) -> None:
        if self.silent is not None:
            columns = {
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "started_at": self._started,
                "heartbeat_at": now - timedelta(seconds=self.silent),
                "restarts": self.restarts,
            }
            Worker.objects.update_or_create(pk=self.id, defaults=columns)
        Worker.objects.filter(heartbeat_at__lt=now - Worker.KEPT).delete()
        # django-q2 sets `lock` by the clock of the host, not of the database.
        oldest = timezone.now() - FORGOTTEN
        OrmQ.objects.filter(key__startswith=PREFIX, lock__lt=oldest).exclude(key=self.key).delete()
