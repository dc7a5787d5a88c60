import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models

from syncer.core import schedule
from syncer.core.merge import Rules
from syncer.models import checks, peer_checks
from syncer.models.mapping import Declaration, declarations
from syncer.models.target import Target

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
        RECREATE = "recreate", "Make it anew"
        REJECT = "reject", "Park it, for a person"

    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="routes", help_text="The remote system.")
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
        help_text='Remote names by which an uncertain create is found again: ["userId", "title"]. '
        "Empty: it can't be looked up, and a person decides. For a peer: the fields by which objects are matched at "
        "the first matching, where their keys differ.",
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
        """Refuse what the model's domain does not let travel, and what could not be carried; see `checks`.

        Raises:
            ValidationError: by column; `params["at"]` is the place inside a JSON column.
        """
        errors: dict[str, list[ValidationError]] = {"model": list(checks.model_errors(self.model))}
        if not errors["model"] and self.target.is_peer:
            for column, found in self._peer_errors():
                errors.setdefault(column, []).extend(found)
        elif not errors["model"]:
            errors |= self._content_errors(self.fields if isinstance(self.fields, dict) else {})
        if self.next_field and not self.items_field:
            errors["next_field"] = [
                checks.wrong("A list that keeps a cursor keeps its records under a name: give 'items'")
            ]
        if errors := {column: found for column, found in errors.items() if found}:
            raise ValidationError(errors)

    def _content_errors(self, fields: dict[str, str]) -> dict[str, list[ValidationError]]:
        mapped = [name for name in self.declaration.fields if name in fields.values()]
        beside = self._models_beside()
        return {
            "path": [] if self.path else [checks.wrong("Give the path where the target keeps these records: /posts")],
            "authority": [checks.wrong("Only a peer's route has it; leave it out")] if self.authority else [],
            "fields": [
                *([] if fields else [checks.wrong("Give what is sent, remote names and local fields")]),
                *checks.fields_errors(self.declaration, self.fields),
                *checks.parent_errors(self.declaration, fields, {self.model, *beside}),
            ],
            "lookup": list(checks.lookup_errors(self.lookup, fields)),
            "filter": list(checks.filter_errors(self.declaration, self.filter)),
            "create_path": list(checks.create_path_errors(self.create_path, mapped)),
        }

    def _peer_errors(self) -> Iterator[tuple[str, Iterator[ValidationError]]]:
        declaration = self.declaration
        yield "model", peer_checks.model_errors(declaration)
        yield "lookup", peer_checks.natural_key_errors(declaration, self.lookup)
        yield "authority", peer_checks.authority_errors(declaration, self.authority, self._other_authorities())
        for column in ("path", "create_path", "fields", "filter"):
            yield column, peer_checks.unused_errors(getattr(self, column))
        links = {name: name for name in self.shared}
        yield "model", checks.parent_errors(declaration, links, {self.model, *self._models_beside()})

    def _models_beside(self) -> frozenset[str]:
        if self.beside is not None:
            return self.beside
        return frozenset(Route.objects.filter(target=self.target_id).values_list("model", flat=True))

    def _other_authorities(self) -> list[dict[str, str]]:
        """What other peers' routes of this model say; an object has one state, whoever its edits come from."""
        if self.authorities is not None:
            return self.authorities
        others = Route.objects.filter(model=self.model, target__kind=Target.Kind.PEER)
        return list(others.exclude(target=self.target_id).values_list("authority", flat=True))

    @property
    def shared(self) -> tuple[str, ...]:
        """The fields that a peer and we keep the same: all that may travel but the key, which is the same anyway."""
        key = self.declaration.model._meta.pk.name
        return tuple(name for name in self.declaration.fields if name != key)

    @property
    def is_matched(self) -> bool:
        """Objects may travel: where they are matched by a natural key, a person has seen to that first."""
        return not (self.target.is_peer and self.lookup) or self.matched_at is not None

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

    def remembers(self, created: datetime | None, now: datetime) -> bool:
        """The target still knows the Idempotency-Key of a create that was first sent at `created`.

        A tenth of the time is left for clocks that differ and for the request to arrive.
        """
        return created is not None and now < created + timedelta(hours=self.key_hours) * 0.9

    def current_fingerprint(self) -> str:
        """Changes whenever what is sent, where to, or which objects, changes."""
        parts = [self.path, self.create_path, self.fields, self.filter]
        if self.target.is_peer:
            parts.append(self.shared)
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
