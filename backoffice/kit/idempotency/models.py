"""The answers that are kept for repeated requests."""

from django.db import models


class KeptAnswer(models.Model):
    """One request with an `Idempotency-Key`, and its answer as soon as there is one.

    The request itself is not stored, only digests of it, made with SECRET_KEY.
    """

    digest = models.CharField(
        max_length=64, primary_key=True, help_text="A digest of the user, the address and the key."
    )
    fingerprint = models.CharField(max_length=64, help_text="A digest of the body and the requested version.")
    holder = models.UUIDField(help_text="The one attempt that may keep an answer here.")
    created_at = models.DateTimeField(db_index=True)
    lease_until = models.DateTimeField(help_text="Until then the holder is at work, if there is no answer yet.")
    status = models.PositiveSmallIntegerField(null=True, help_text="Empty: no answer yet.")
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__isnull=False) | models.Q(body=""), name="kept_body_has_status"
            )
        ]

    def __str__(self) -> str:
        return f"{self.status or 'at work'} since {self.created_at:%Y-%m-%d %H:%M}"
