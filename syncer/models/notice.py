from django.db import models
from django.db.models import Q

from syncer.models.target import Target


class Notice(models.Model):
    """What operators are told of a target: once when it goes bad, once when it is well again.

    Written in the transaction that changes the target, and sent by the worker afterwards (`notify.py`). It quotes no
    answer of the target: that could be content.
    """

    class Kind(models.TextChoices):
        BAD = "bad", "Not well"
        WELL = "well", "Well again"

    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="notices", help_text="The remote system.")
    kind = models.CharField(max_length=8, choices=Kind, help_text="What is told.")
    reason = models.CharField(max_length=512, blank=True, help_text="Why it is not well.")
    at = models.DateTimeField(help_text="When it happened.")
    mailed_at = models.DateTimeField(null=True, blank=True, help_text="When the e-mail was handed over.")
    posted_at = models.DateTimeField(null=True, blank=True, help_text="When the webhook took it.")
    done = models.BooleanField(default=False, help_text="Nothing is left to send.")
    tries = models.PositiveSmallIntegerField(default=0, help_text="Failed tries to tell.")
    not_before = models.DateTimeField(null=True, blank=True, help_text="The next try is not before then.")
    error = models.CharField(max_length=512, blank=True, help_text="Why the last try failed.")

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["id"], condition=Q(done=False), name="syncer_notice_open")]

    def __str__(self) -> str:
        return f"{self.target}: {self.get_kind_display()}, {self.at:%Y-%m-%d %H:%M:%S}"
