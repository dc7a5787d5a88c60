from django.db import models
from django.db.models import Q

from backoffice.kit.phrase_field import PhraseField


class Alert(models.Model):
    """A notification for operators: one when a target becomes unhealthy, one when it is healthy again.

    One more while deletes at the target wait for a person.

    An alert is created in the transaction that changes the target, and sent by a worker afterwards
    (`alerts/notify.py`). It quotes no answer of the target, because that could be content.
    """

    class Kind(models.TextChoices):
        UNHEALTHY = "unhealthy", "Unhealthy"
        HEALTHY = "healthy", "Healthy again"
        DELETES = "deletes", "Deletes wait"

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
    reason = PhraseField("why", blank=True, help_text="Why the target is unhealthy, or the deletes wait.")
    at = models.DateTimeField("when", help_text="When it happened.")
    ended_at = models.DateTimeField(
        "over since", null=True, blank=True, help_text="When no delete waited any more. Empty for other alerts."
    )
    outcome = models.CharField(
        max_length=16, choices=Outcome, default=Outcome.OPEN, help_text="What happened with the alert."
    )
    not_before = models.DateTimeField(help_text="The earliest time of the first or the next try.")
    tries = models.PositiveSmallIntegerField(default=0, help_text="Number of tries, including one in progress.")
    mailed_at = models.DateTimeField("mailed", null=True, blank=True, help_text="When the mail server accepted it.")
    posted_at = models.DateTimeField("posted", null=True, blank=True, help_text="When the webhook accepted it.")
    error = PhraseField(blank=True, help_text="Why the last try failed.")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["target"], condition=Q(kind="deletes", ended_at__isnull=True), name="syncer_alert_deletes"
            )
        ]
        indexes = [models.Index(fields=["id"], condition=Q(outcome="open"), name="syncer_alert_open")]

    def __str__(self) -> str:
        return f"{self.target}: {self.get_kind_display()}, {self.at:%Y-%m-%d %H:%M:%S}"
