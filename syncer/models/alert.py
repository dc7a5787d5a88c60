from django.db import models
from django.db.models import Q


class Alert(models.Model):
    """What operators are notified of: once when a target becomes unhealthy, once when it is healthy again.

    It is created in the transaction that changes the target, and sent by a worker afterwards (`alerts/notify.py`). It
    quotes no answer of the target: that could be content.
    """

    class Kind(models.TextChoices):
        UNHEALTHY = "unhealthy", "Unhealthy"
        HEALTHY = "healthy", "Healthy again"

    class Outcome(models.TextChoices):
        OPEN = "open", "To be sent"
        NOTIFIED = "notified", "Notified"
        CLEARED = "cleared", "Cleared before anybody was notified"
        NO_CHANNEL = "no channel", "No channel is set up"
        GIVEN_UP = "given up", "Given up"

    target = models.ForeignKey(
        "syncer.Target", on_delete=models.CASCADE, related_name="alerts", help_text="The remote system."
    )
    kind = models.CharField("what", max_length=16, choices=Kind, help_text="What happened.")
    reason = models.CharField("why", max_length=512, blank=True, help_text="Why it is unhealthy.")
    at = models.DateTimeField("when", help_text="When it happened.")
    outcome = models.CharField(max_length=16, choices=Outcome, default=Outcome.OPEN, help_text="What came of it.")
    not_before = models.DateTimeField(help_text="It is not sent, or not tried again, before then.")
    tries = models.PositiveSmallIntegerField(
        default=0, help_text="How often it was tried, with a try that is under way."
    )
    mailed_at = models.DateTimeField("mailed", null=True, blank=True, help_text="When the mail server took the e-mail.")
    posted_at = models.DateTimeField("posted", null=True, blank=True, help_text="When the webhook took it.")
    error = models.CharField(max_length=512, blank=True, help_text="Why the last try failed.")

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["id"], condition=Q(outcome="open"), name="syncer_alert_open")]

    def __str__(self) -> str:
        return f"{self.target}: {self.get_kind_display()}, {self.at:%Y-%m-%d %H:%M:%S}"
