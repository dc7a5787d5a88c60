import uuid

from django.db import models


class Worker(models.Model):
    """A `manage.py worker` that runs, or did until lately. Its watchdog writes here; see `watchdog.py`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.CharField(max_length=255, help_text="The machine it runs on.")
    pid = models.PositiveIntegerField(help_text="The watchdog's process number there.")
    started_at = models.DateTimeField(help_text="When it began.")
    beat_at = models.DateTimeField(help_text="When a task last came through its queue, or one was at work.")
    restarts = models.PositiveIntegerField(default=0, help_text="How often its cluster had to be started anew.")

    class Meta:
        ordering = ["-beat_at"]

    def __str__(self) -> str:
        return f"{self.host}, process {self.pid}"
