from typing import Any

from django.db import models

from syncer.core.merge import State, edits_as_json, edits_from_json


class ReplicaQuerySet(models.QuerySet["Replica"]):
    def waiting(self) -> "ReplicaQuerySet":
        """Those of which something waits for a person."""
        return self.filter(conflicts__isnull=False)


class Replica(models.Model):
    """What is known of the edits of an object that several nodes share (`core/replica.py`). It outlives the object."""

    model = models.CharField(max_length=64, help_text="What it is, such as orders.Order.")
    object_key = models.CharField("object", max_length=64, help_text="The object's primary key, as text.")
    shadow = models.JSONField(
        null=True, blank=True, help_text="Its content when last stamped. Empty: it was not there."
    )
    seen = models.JSONField(default=dict, help_text='The edits that are known here: {"store:018f3a…": 3}.')
    fields = models.JSONField(default=dict, help_text="Of each field the edits that none overruled.")
    read = models.BigIntegerField(default=0, help_text="The newest row of its history when it was last stamped.")
    conflicts = models.JSONField(
        null=True,
        blank=True,
        help_text='What waits for a person: {"quantity": "why"}; under "" what is wrong with the object as a whole.',
    )
    conflict_at = models.DateTimeField("since", null=True, blank=True, help_text="Since when.")

    objects = ReplicaQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = "conflict"  # people see only those that wait for them
        constraints = [models.UniqueConstraint(fields=["model", "object_key"], name="syncer_replica_object")]
        indexes = [
            models.Index(
                fields=["conflict_at"], condition=models.Q(conflicts__isnull=False), name="syncer_replica_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model}:{self.object_key}"

    @property
    def state(self) -> State:
        """What travels of it."""
        return State(seen=self.seen, fields=edits_from_json(self.fields))

    def take(self, state: State, shadow: Any) -> None:
        """Hold `state`; `shadow` is what the live row then holds."""
        self.seen, self.fields, self.shadow = dict(state.seen), edits_as_json(state.fields), shadow
