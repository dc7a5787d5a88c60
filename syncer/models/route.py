import hashlib
import json

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models

from syncer.core import schedule
from syncer.core.merge import Rules
from syncer.models import mapping
from syncer.models.mapping import Declaration, declarations
from syncer.targets.base import kind_of, kinds, unused_columns

PATH = RegexValidator(r"^/[^?#\s]*$", "A path begins with '/' and has no '?', '#' or white space.")


def validate_trigger(trigger: str) -> None:
    """Refuse what `schedule.interval` can't read."""
    try:
        schedule.interval(trigger)
    except ValueError as error:
        raise ValidationError(str(error), code="trigger") from error


class Route(models.Model):
    """What carries one model to one target. It holds the mark: how far it has read the history."""

    class Update(models.TextChoices):
        PUT = "PUT", "PUT: the whole record"
        PATCH = "PATCH", "PATCH: only the fields that changed"

    class Missing(models.TextChoices):
        RECREATE = "recreate", "Create it again"
        REJECT = "reject", "Reject it, for a person"

    target = models.ForeignKey(
        "syncer.Target", on_delete=models.CASCADE, related_name="routes", help_text="The remote system."
    )
    model = models.CharField(max_length=64, help_text="What travels, such as news.Post.")
    enabled = models.BooleanField(default=True, help_text="Off: this model's changes wait.")
    path = models.CharField(
        max_length=256,
        blank=True,
        validators=[PATH],
        help_text="Where the target keeps these records: /posts. Empty for a peer.",
    )
    create_path = models.CharField(
        max_length=256,
        blank=True,
        validators=[PATH],
        help_text="Where new ones are made, if elsewhere: /posts/{post}/comments. Names in braces are local fields.",
    )
    fields = models.JSONField(
        default=dict,
        blank=True,
        help_text='What is sent, remote name to local field: {"userId": "user_id", "title": "title"}. '
        "Empty for a peer: all that may travel.",
    )
    lookup = models.JSONField(
        default=list,
        blank=True,
        help_text='Remote names by which an uncertain create is found again: ["userId", "title"]. Empty: it can\'t be '
        "looked up, and a person decides; a new route then gets the natural key that the model's domain declares. For "
        "a peer: the fields by which objects are matched at first, where their keys differ.",
    )
    authority = models.JSONField(
        default=dict,
        blank=True,
        help_text='Which node decides where both ends edited a field: {"quantity": "store", "exists": "ask"}. '
        "'exists': one end deleted what the other edited; 'ask': a person decides. Empty: as the model's domain says. "
        "For peers.",
    )
    filter = models.JSONField(
        default=dict, blank=True, help_text='Which objects travel, as field lookups: {"user_id__gt": 10}. Empty: all.'
    )
    trigger = models.CharField(
        max_length=32,
        default="manual",
        validators=[validate_trigger],
        help_text="When it syncs: 'change' (at once), 'manual' (by Sync now), or 'every 5 minutes'.",
    )
    update = models.CharField(
        "update with", max_length=8, choices=Update, default=Update.PUT, help_text="How a changed record is sent."
    )
    missing = models.CharField(
        "if it is gone",
        max_length=8,
        choices=Missing,
        default=Missing.RECREATE,
        help_text="What to do when the target says, of a record to be changed, that there is none.",
    )
    key_hours = models.PositiveSmallIntegerField(
        "hours it remembers keys",
        default=0,
        validators=[MaxValueValidator(24 * 365)],
        help_text="Hours for which the target answers a create with the same Idempotency-Key as it did the first time: "
        "an uncertain create is then sent again under its key. 0: it does not know such keys.",
    )
    id_field = models.CharField(
        "id", max_length=64, default="id", help_text="The name of the record's id in the target's answers."
    )
    items_field = models.CharField(
        "items",
        max_length=64,
        blank=True,
        help_text="Where a list answer keeps its records. Empty: it is the list itself.",
    )
    next_field = models.CharField(
        "next",
        max_length=64,
        blank=True,
        help_text="Where a list answer keeps its cursor, sent back as ?cursor=…, or the next page's address. "
        "Empty: one page.",
    )
    mark = models.TextField(
        blank=True, editable=False, help_text="How far this route has read the history. Empty: nothing was planned yet."
    )
    fingerprint = models.CharField(
        max_length=64, blank=True, editable=False, help_text="Of path, fields and filter when last planned."
    )
    planned_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the history was last read."
    )
    matched_at = models.DateTimeField(
        "matched",
        null=True,
        blank=True,
        editable=False,
        help_text="Of a peer, where a natural key is named: when a person said how objects that both ends had already "
        "are matched. Empty: nothing is sent or taken.",
    )

    class Meta:
        ordering = ["target", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["target", "model"],
                name="syncer_route_model",
                violation_error_message="This target has a route for this model already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} → {self.target}"

    # The models that will have a route on the same target, where the caller knows better than the database.
    beside: frozenset[str] | None = None
    # What other peers' routes of the model will say, likewise.
    authorities: list[dict[str, str]] | None = None

    def clean(self) -> None:
        """Refuse what the model's domain does not let travel, and what could not be carried; see `mapping`.

        Raises:
            ValidationError: by column; `params["at"]` is the place inside a JSON column.
        """
        errors = {"model": list(mapping.model_errors(self.model))}
        if not errors["model"] and self.target.kind in kinds():
            kind = kind_of(self.target)
            for column, found in kind.route_errors(self):
                errors.setdefault(column, []).extend(found)
            unused = f"A route to a target of the kind '{kind.name}' does not use it; leave it empty"
            for column in unused_columns(kind, "route_columns"):
                errors.setdefault(column, []).extend([mapping.wrong(unused)] if getattr(self, column) else [])
        if errors := {column: found for column, found in errors.items() if found}:
            raise ValidationError(errors)

    def models_beside(self) -> frozenset[str]:
        """The models that have a route on the same target."""
        if self.beside is not None:
            return self.beside
        return frozenset(Route.objects.filter(target=self.target_id).values_list("model", flat=True))

    @property
    def shared(self) -> tuple[str, ...]:
        """The fields that a peer and we keep the same: all that may travel but the key, which is the same anyway."""
        key = self.declaration.model._meta.pk.name
        return tuple(name for name in self.declaration.fields if name != key)

    @property
    def is_matched(self) -> bool:
        """Of a two-way route: objects may travel. Where a natural key matches them, a person has to see to it first."""
        return not self.lookup or self.matched_at is not None

    @property
    def rules(self) -> Rules:
        """Who decides, where two ends of a peer's route edited the same."""
        return Rules(authority={**self.declaration.authority, **self.authority})

    @property
    def declaration(self) -> Declaration:
        """What the model's domain lets travel.

        Raises:
            KeyError: the domain is no longer installed.
        """
        return declarations()[self.model]

    def default_lookup(self) -> list[str]:
        """What its lookup is where none is given when it is made."""
        if self.model not in declarations() or self.target.kind not in kinds() or not isinstance(self.fields, dict):
            return []
        return kind_of(self.target).default_lookup(self)

    def current_fingerprint(self) -> str:
        """Changes whenever what is sent, where to, or which objects, changes."""
        parts = [self.path, self.create_path, self.filter, kind_of(self.target).carried(self)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
