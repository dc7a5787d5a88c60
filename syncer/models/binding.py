"""Bindings, and the facts and tables of `core/state.py` as conditions on a queryset of them."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, TypeVar

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Replace

from backoffice.kit.phrase_field import PhraseField
from syncer.core.decide import Known, known_of
from syncer.core.state import BACKLOG, QUESTIONS, State, Table

if TYPE_CHECKING:
    from syncer.models.target import Target

T = TypeVar("T")
DUE = Q(due=True)
UNBLOCKED = Q(backlog=State.PENDING)  # of those that are due
BLOCKED = Q(rejected__isnull=False) | Q(in_doubt=True) | Q(on_hold=True)  # as the index of them has it, for SQLite
FAILED = Q(tries__gt=0)
LEFT_DELETES = Q(due=True, delete_waits=True)
HELD_REASON_LENGTH = 256  # characters

FACTS: Mapping[str, Q] = {
    "due": DUE,
    "on_hold": Q(on_hold=True),
    "in_doubt": Q(in_doubt=True),
    "rejected": Q(rejected__gte=F("wanted")),
    "failed": FAILED,
    "bound": Q(remote_id__isnull=False),
    "unanswered": Q(create_body__isnull=False),
    "look_first": Q(look_first=True),
    "gone": Q(gone=True),
}


def holding(facts: Mapping[str, bool], known: Mapping[str, Q] = FACTS) -> Q:
    """Return the condition for bindings with the facts `{"fact": whether it holds}`, whose conditions are `known`."""
    condition = Q()
    for name, value in facts.items():
        condition &= known[name] if value else ~known[name]
    return condition


ASKED = reduce(or_, (holding(facts) for _, facts in QUESTIONS))
IS_DUE = Q(wanted__gt=F("delivered")) | Q(unconfirmed=True)  # for columns that can't be computed from the column `due`


def _part_of_backlog() -> Case:
    known = {**FACTS, "due": IS_DUE}
    return Case(*(When(holding(facts, known), then=Value(state.value)) for state, facts in BACKLOG))


class BindingQuerySet(models.QuerySet["Binding"]):
    def left(self, target: "Target", scope: Mapping[str, list[str]] | None = None) -> "BindingQuerySet":
        """Return the bindings that are due, or set aside while due: of the enabled routes, or of a run's scope."""
        return self._due(target, scope).filter(on_hold=False)

    def held(self, target: "Target", scope: Mapping[str, list[str]] | None = None) -> "BindingQuerySet":
        """Return the bindings that are due and on hold: of the enabled routes, or of a run's scope."""
        return self._due(target, scope).filter(BLOCKED, on_hold=True)

    def _due(self, target: "Target", scope: Mapping[str, list[str]] | None) -> "BindingQuerySet":
        bindings = self.filter(DUE, route__target=target, route__enabled=True)
        if scope is None:
            return bindings
        condition = Q(pk__in=[])
        for model, keys in scope.items():
            condition |= Q(route__model=model, object_key__in=keys)
        return bindings.filter(condition)


class Binding(models.Model):
    """The one row that ties a local object to its record at a target.

    The counters (`wanted`, `delivered`, `rejected`, `token`) are local to the row and can't be compared with those of
    another row. `agreed` is the payload that we sent and the target accepted, not the target's answer.
    """

    route = models.ForeignKey(
        "syncer.Route",
        on_delete=models.CASCADE,
        related_name="bindings",
        db_index=False,
        help_text="The route that carries the object.",
    )
    object_key = models.CharField("object", max_length=64, help_text="The local object's primary key, as text.")
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="children",
        db_index=False,
        help_text="The binding of the record's parent at the target.",
    )
    wanted = models.BigIntegerField(db_default=0, help_text="Increased by each plan that includes the object.")
    read_to = models.TextField(
        null=True,
        blank=True,
        help_text="How far the history of this object was read beyond the route's mark, as a mark's position: "
        "by a sync of chosen objects.",
    )
    delivered = models.BigIntegerField(
        db_default=0, help_text="The value of 'wanted' that the target is known to have."
    )
    unconfirmed = models.BooleanField(db_default=False, help_text="A request was sent whose answer is not known.")
    # A column, so that the index of what is due changes with it alone: not with each plan and claim of what is due.
    due = models.GeneratedField(
        expression=IS_DUE,  # type: ignore[arg-type]
        output_field=models.BooleanField(),
        db_persist=True,
        help_text="A version was not delivered, or an answer is not known.",
    )
    # A column for the same reason. With it in an index, a few are counted however many there are of another part.
    backlog = models.GeneratedField(
        expression=_part_of_backlog(),
        output_field=models.CharField(max_length=16, null=True),
        db_persist=True,
        help_text="The part of the backlog that the object is in: pending, rejected, in doubt or on hold. Empty: none.",
    )
    in_doubt = models.BooleanField(
        db_default=False, help_text="Whether a create arrived can't be found out: a person decides."
    )
    rejected = models.BigIntegerField(
        null=True, blank=True, help_text="The value of 'wanted' that the target refused for good. An edit tries again."
    )
    on_hold = models.BooleanField(
        db_default=False, help_text="A person keeps this object back: nothing is sent for it until it is released."
    )
    held_at = models.DateTimeField("on hold since", null=True, blank=True, help_text="When it was put on hold.")
    held_by = models.CharField(
        "held by",
        max_length=256,
        db_default="",
        blank=True,
        help_text="The account that put it on hold, by its name: that stays when it is deleted. Empty: a command did.",
    )
    held_why = models.CharField(
        "reason of the hold",
        max_length=HELD_REASON_LENGTH,
        db_default="",
        blank=True,
        help_text="Why it was put on hold.",
    )
    token = models.BigIntegerField(
        db_default=0, help_text="Increased by each claim, so that a late worker's answer is ignored."
    )
    lease_until = models.DateTimeField(null=True, blank=True, help_text="A worker holds the binding until then.")
    not_before = models.DateTimeField(null=True, blank=True, help_text="The earliest time of the next try.")
    tries = models.PositiveIntegerField(db_default=0, help_text="Failed tries since the last success.")
    remote_id = models.CharField(
        max_length=256,
        null=True,
        blank=True,
        help_text="The record's id at the target, as JSON. Empty: no known record.",
    )
    last_remote_id = models.CharField(
        max_length=256, null=True, blank=True, help_text="The record's last known id, kept after a delete."
    )
    agreed = models.JSONField(
        null=True, blank=True, help_text="The payload that was last sent and accepted. Empty: not known."
    )
    peer_seen = models.JSONField(
        null=True, blank=True, help_text="For peers: the edits that the peer is known to have seen. Empty: not known."
    )
    common = models.BigIntegerField(
        null=True, blank=True, help_text="For peers: the newest row of our history that the peer is known to have seen."
    )
    create_key = models.UUIDField(null=True, blank=True, help_text="The Idempotency-Key of an unanswered create.")
    create_body = models.JSONField(null=True, blank=True, help_text="The payload of that create.")
    create_at = models.DateTimeField(null=True, blank=True, help_text="When that create was first sent.")
    create_path = models.CharField(
        max_length=512, db_default="", blank=True, help_text="The path to which that create was sent."
    )
    create_account = models.CharField(
        max_length=64, db_default="", blank=True, help_text="A digest of the address and sign-in of that create."
    )
    create_as = models.JSONField(
        null=True,
        blank=True,
        help_text="What that create can be found by: the path, lookup and fields under which it was sent.",
    )
    made = models.BooleanField(
        db_default=False, help_text="The target accepted that create; its record's id is not known yet."
    )
    etag = models.CharField(
        max_length=256, db_default="", blank=True, help_text="The record's ETag after our last request."
    )
    refused_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When what the target refused was claimed: it is tried again if anything is delivered since.",
    )
    delete_allowed = models.BooleanField(
        db_default=False, help_text="A person allowed this delete, among many of one run."
    )
    delete_waits = models.BooleanField(
        db_default=False,
        help_text="A run left this delete, one of too many, to a person. The next claim of the object ends it.",
    )
    candidates = models.JSONField(
        null=True,
        blank=True,
        help_text="While in doubt: the possible matches, each with its id as JSON text and what it shows.",
    )
    gone = models.BooleanField(
        db_default=False, help_text="The object was rejected because the target no longer has its record."
    )
    deleting = models.BooleanField(db_default=False, help_text="A delete was sent whose answer is not known.")
    look_first = models.BooleanField(
        db_default=False,
        help_text="A record may exist that this database does not know of, as after a restore: "
        "the target is searched before a record is created.",
    )
    reason = PhraseField(db_default="", blank=True, help_text="Why the last try failed, or what the object waits for.")
    settled_at = models.DateTimeField(null=True, blank=True, help_text="When the target last gave a definite answer.")

    objects = BindingQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["route", "object_key"], name="syncer_binding_object"),
            # Ids are compared by their text: an API answers 5 in one place and "5" in another.
            models.UniqueConstraint(
                F("route"),
                Replace("remote_id", Value('"'), Value("")),
                condition=Q(remote_id__isnull=False),
                name="syncer_binding_remote",
            ),
        ]
        indexes = [
            models.Index(fields=["route", "backlog", "id"], condition=DUE, name="syncer_binding_due"),
            models.Index(fields=["parent"], condition=Q(parent__isnull=False), name="syncer_binding_parent"),
            models.Index(fields=["route", "backlog", "id"], condition=BLOCKED, name="syncer_binding_blocked"),
            models.Index(fields=["route", "backlog", "not_before"], condition=FAILED, name="syncer_binding_failed"),
            models.Index(fields=["route", "id"], condition=LEFT_DELETES, name="syncer_binding_left"),
            models.Index(
                fields=["route", "settled_at"], condition=Q(settled_at__isnull=False), name="syncer_binding_settled"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.route.model}:{self.object_key}"

    @property
    def record(self) -> str | None:
        """The record's id at the target, as people read it; None where there is no known record."""
        return None if self.remote_id is None else str(json.loads(self.remote_id))

    @property
    def known(self) -> Known:
        """What is known of the record, as the decision needs it."""
        return known_of(self)


def claimed(now: datetime) -> Q:
    return Q(lease_until__gt=now)


def where(table: Table[T], value: T, known: Mapping[str, Q]) -> Q:
    """Return the condition for bindings whose first fitting row of the table, of `known` facts, has this value."""
    result = Q(pk__in=[])
    for number, (row_value, facts) in enumerate(table):
        if row_value == value:
            condition = holding(facts, known)
            for _, earlier in table[:number]:
                if all(facts.get(fact, holds) == holds for fact, holds in earlier.items()):  # else it can't fit too
                    condition &= ~holding({fact: holds for fact, holds in earlier.items() if fact not in facts}, known)
            result |= condition
    return result
