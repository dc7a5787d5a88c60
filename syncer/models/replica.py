from django.db import models

from syncer.core.merge import Content, State, edits_as_json, edits_from_json


class ReplicaQuerySet(models.QuerySet["Replica"]):
    def waiting(self) -> "ReplicaQuerySet":
        return self.filter(conflicts__isnull=False)


class Replica(models.Model):
    """The causal state of an object that several nodes share (`core/merge.py`). The replica outlives the object."""

    model = models.CharField(max_length=64, help_text="The object's model, such as orders.Order.")
    object_key = models.CharField("object", max_length=64, help_text="The object's primary key, as text.")
    shadow = models.JSONField(
        null=True, blank=True, help_text="The object's content when last stamped. Empty: the object did not exist."
    )
    seen = models.JSONField(default=dict, help_text='The edits that are known here: {"store:018f3a…": 3}.')
    fields = models.JSONField(default=dict, help_text="For each field, the edits that no other edit overruled.")
    read = models.BigIntegerField(default=0, help_text="The newest row of the object's history when last stamped.")
    conflicts = models.JSONField(
        null=True,
        blank=True,
        help_text='The fields that wait for a person: {"quantity": "why"}; "" stands for the object as a whole.',
    )
    conflict_at = models.DateTimeField("since", null=True, blank=True, help_text="When the conflict began.")

    objects = ReplicaQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = "conflict"  # pages show only replicas with a conflict
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
        """The state that nodes exchange."""
        return State(seen=self.seen, fields=edits_from_json(self.fields))

    def take(self, state: State, shadow: Content | None) -> None:
        """Store `state`; `shadow` is the content of the live row, None where there is none."""
        self.seen, self.fields, self.shadow = dict(state.seen), edits_as_json(state.fields), shadow


class Incarnation(models.Model):
    """The name under which this node signs its edits; the newest row counts. A restored database begins a new one."""

    number = models.PositiveIntegerField(unique=True, help_text="The number of incarnations up to this one.")
    writer = models.CharField(
        max_length=96, unique=True, help_text="The node's name, a colon, and a text that sorts by time."
    )
    why = models.CharField(max_length=256, help_text="Why this incarnation began.")
    at = models.DateTimeField(auto_now_add=True, help_text="When this incarnation began.")

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        return self.writer
