import uuid
from datetime import timedelta

from django.db import models

from backoffice.kit import clock


class WorkerQuerySet(models.QuerySet["Worker"]):
    def alive(self) -> "WorkerQuerySet":
        """Those whose last heartbeat is fresh."""
        return self.filter(heartbeat_at__gt=clock.now() - Worker.FRESH)


class Worker(models.Model):
    """A `manage.py worker` that runs, or did until lately. Its watchdog writes here; see `worker/watchdog.py`."""

    FRESH = timedelta(seconds=90)  # a cluster that died is seen after 30 and back within some 10
    KEPT = timedelta(days=1)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.CharField(max_length=255, help_text="The machine it runs on.")
    pid = models.PositiveIntegerField(help_text="The watchdog's process number there.")
    started_at = models.DateTimeField(help_text="When it began.")
    heartbeat_at = models.DateTimeField(help_text="When a task last came through its queue, or one was at work.")
    restarts = models.PositiveIntegerField(default=0, help_text="How often its cluster had to be restarted.")

    objects = WorkerQuerySet.as_manager()

    class Meta:
        ordering = ["-heartbeat_at"]

    def __str__(self) -> str:
        return f"{self.host}, process {self.pid}"
