from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F
from django.utils import timezone

from backoffice.kit.audit.actions import choices

NAME_LENGTH = 256  # characters


class Entry(models.Model):
    """One act: who did what to which subject, when and from where. Neither secrets nor content.

    Entries have no foreign keys, so that they outlive accounts and subjects. The database refuses to change them, and
    to delete them but for `Retention`.
    """

    at = models.DateTimeField("time", default=timezone.now, help_text="When it was done.")
    action = models.CharField(max_length=32, choices=choices, help_text="What was done.")
    actor_id = models.BigIntegerField("account number", null=True, help_text="Empty: a program, or nobody signed in.")
    actor_name = models.CharField(
        "who", max_length=NAME_LENGTH, blank=True, help_text="The account's name at the time."
    )
    subject_type = models.CharField("kind", max_length=128, blank=True, help_text="The model, such as accounts.User.")
    subject_id = models.CharField("number", max_length=64, blank=True, help_text="The key of what it was done to.")
    subject_name = models.CharField(
        "to what", max_length=NAME_LENGTH, blank=True, help_text="Its name at the time. Content has none here."
    )
    details = models.JSONField(
        default=dict, encoder=DjangoJSONEncoder, help_text="More, such as the names of the fields that were changed."
    )
    address = models.GenericIPAddressField(
        "from",
        null=True,
        help_text="The client's address, as far as a trusted proxy tells. Empty: no request, or unknown.",
    )
    request_id = models.CharField(max_length=64, blank=True, help_text="The request, as the log and history name it.")

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit trail"
        ordering = ["-pk"]
        default_permissions = ("view",)
        indexes = [
            models.Index(F("at").desc(), name="audit_entry_at"),
            models.Index(F("action"), F("id").desc(), name="audit_entry_action"),
            models.Index(F("actor_name"), F("id").desc(), name="audit_entry_actor"),
            models.Index(F("address"), F("id").desc(), name="audit_entry_address"),
            models.Index("subject_type", "subject_id", name="audit_entry_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.action}, {self.at:%Y-%m-%d %H:%M:%S}"


class Retention(models.Model):
    """While its row exists, in the transaction of `prune_audit`, entries from before that time may be deleted."""

    before = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"before {self.before:%Y-%m-%d %H:%M:%S}"
