import json

from django.db import models
from django.db.models import Q

from syncer.core.decide import Known, known_of
from syncer.models.state import DUE


class Binding(models.Model):
    """The one row that ties a local object to its record at a target: the object's binding.

    The columns that count (`wanted`, `delivered`, `rejected`, `token`) belong to this row alone; no other row's numbers
    can be compared with them. `agreed` is what we sent and the target accepted, not what it answered.
    """

    route = models.ForeignKey(
        "syncer.Route", on_delete=models.CASCADE, related_name="bindings", help_text="What carries it."
    )
    object_key = models.CharField("object", max_length=64, help_text="The local object's primary key, as text.")
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="children",
        help_text="The record it hangs under at the target.",
    )
    wanted = models.BigIntegerField(db_default=0, help_text="Raised by each plan that names the object.")
    delivered = models.BigIntegerField(db_default=0, help_text="The 'wanted' that the target is known to have.")
    unconfirmed = models.BooleanField(db_default=False, help_text="Something was sent and its answer is not known.")
    in_doubt = models.BooleanField(
        db_default=False, help_text="A create may or may not have happened, and only a person can find out."
    )
    rejected = models.BigIntegerField(
        null=True, blank=True, help_text="The 'wanted' that the target refused for good. A newer edit un-rejects it."
    )
    on_hold = models.BooleanField(db_default=False, help_text="A person keeps this object back.")
    token = models.BigIntegerField(db_default=0, help_text="Raised by each claim: a late worker's answer is not taken.")
    lease_until = models.DateTimeField(null=True, blank=True, help_text="A worker has it until then.")
    not_before = models.DateTimeField(null=True, blank=True, help_text="The next try is not before then.")
    tries = models.PositiveIntegerField(db_default=0, help_text="Failed tries since the last success.")
    remote_id = models.CharField(
        max_length=256,
        null=True,
        blank=True,
        help_text="The record's id at the target, as JSON. Empty: no record known.",
    )
    last_remote_id = models.CharField(
        max_length=256, null=True, blank=True, help_text="The id that the record last had, kept after a delete."
    )
    agreed = models.JSONField(null=True, blank=True, help_text="What was sent and accepted. Empty: not known.")
    peer_seen = models.JSONField(
        null=True, blank=True, help_text="Of a peer: the edits that it is known to have seen. Empty: not known."
    )
    common = models.BigIntegerField(
        null=True, blank=True, help_text="Of a peer: the newest row of our history that it is known to have seen."
    )
    create_key = models.UUIDField(null=True, blank=True, help_text="The Idempotency-Key of an unanswered create.")
    create_body = models.JSONField(null=True, blank=True, help_text="What that create sent.")
    create_at = models.DateTimeField(null=True, blank=True, help_text="When that create was first sent.")
    create_path = models.CharField(max_length=512, db_default="", blank=True, help_text="Where that create was sent.")
    create_account = models.CharField(
        max_length=64, db_default="", blank=True, help_text="Of the address and sign-in it was sent with, a digest."
    )
    candidates = models.JSONField(
        null=True, blank=True, help_text="In doubt: the possible matches, by their ids as JSON texts."
    )
    gone = models.BooleanField(db_default=False, help_text="Rejected since the target has no such record any more.")
    deleting = models.BooleanField(db_default=False, help_text="A delete was sent and its answer is not known.")
    look_first = models.BooleanField(
        db_default=False,
        help_text="A record may have been made that this database does not know of, as after a restore: "
        "it is looked for before one is made.",
    )
    reason = models.CharField(
        max_length=512, db_default="", blank=True, help_text="Why the last try failed, or what it waits for."
    )
    settled_at = models.DateTimeField(null=True, blank=True, help_text="When the target last gave a definite answer.")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["route", "object_key"], name="syncer_binding_object"),
            models.UniqueConstraint(
                fields=["route", "remote_id"], condition=Q(remote_id__isnull=False), name="syncer_binding_remote"
            ),
        ]
        indexes = [
            models.Index(fields=["route", "id"], condition=DUE, name="syncer_binding_due"),
            models.Index(
                fields=["route", "id"],
                condition=Q(rejected__isnull=False) | Q(in_doubt=True) | Q(on_hold=True),
                name="syncer_binding_blocked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.route.model}:{self.object_key}"

    @property
    def record(self) -> str | None:
        """The record's id at the target, as people read it; None: it has none."""
        return None if self.remote_id is None else str(json.loads(self.remote_id))

    @property
    def known(self) -> Known:
        """What we know of the record, for the decision."""
        return known_of(self)
