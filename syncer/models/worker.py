import uuid
from datetime import timedelta

from django.db import models

from backoffice.kit import clock


class WorkerQuerySet(models.QuerySet["Worker"]):
    def alive(self) -> "WorkerQuerySet":
        return self.filter(heartbeat_at__gt=clock.now() - Worker.FRESH)


class Worker(models.Model):
    """A `manage.py worker` that runs or ran recently. Its watchdog writes the row; see `worker/watchdog.py`."""

    FRESH = timedelta(seconds=90)  # a dead cluster is detected after 30 s and restarted within about 10 s
    KEPT = timedelta(days=1)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.CharField(max_length=255, help_text="The machine of the worker.")
    pid = models.PositiveIntegerField(help_text="The process id of the watchdog on that machine.")
    started_at = models.DateTimeField(help_text="When the worker started.")
    heartbeat_at = models.DateTimeField(help_text="When a task last passed its queue, or was still running.")
    restarts = models.PositiveIntegerField(default=0, help_text="How often the cluster had to be restarted.")

    objects = WorkerQuerySet.as_manager()

    class Meta:
        ordering = ["-heartbeat_at"]

    def __str__(self) -> str:
        return f"{self.host}, process {self.pid}"
