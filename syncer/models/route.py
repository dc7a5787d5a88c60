"""Routes. The file is long because each of some forty columns is declared here with its help text."""

import hashlib
import json
import re
from collections import defaultdict
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.kit.phrases import phrase
from syncer.core.errors import TargetStoppedError
from syncer.core.merge import Rules
from syncer.models import mapping
from syncer.models.mapping import Declaration, declarations
from syncer.targets.base import kind_of, kinds, unused_columns

CHANGE, MANUAL = "change", "manual"  # triggers; the others are intervals
EVERY = re.compile(r"every (?:([1-9]\d{0,4}) )?(second|minute|hour|day)s?")
UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}  # seconds
PATH = RegexValidator(r"^/[^?#\s]*$", gettext_lazy("A path begins with '/' and has no '?', '#' or white space."))


def validate_trigger(trigger: str) -> None:
    if trigger not in (CHANGE, MANUAL) and not EVERY.fullmatch(trigger):
        raise ValidationError(
            _("%(trigger)r is not a trigger: give 'change', 'manual', or an interval such as 'every 5 minutes'."),
            code="trigger",
            params={"trigger": trigger},
        )


class Route(models.Model):
    """The path of one model to one target. The route holds the mark: how far it has read the history."""

    class Update(models.TextChoices):
        PUT = "PUT", "PUT: the whole record"
        PATCH = "PATCH", "PATCH: only the fields that changed"
        POST = "POST", "POST: the whole record, to the record's own path"

    class Missing(models.TextChoices):
        RECREATE = "recreate", "Create it again"
        REJECT = "reject", "Reject it, for a person"

    class Existing(models.TextChoices):
        ADOPT = "adopt", "Adopt equal ones; a person decides about those that differ"
        OVERWRITE = "overwrite", "Adopt them, and send ours where they differ"
        CREATE = "create", "Don't look: create ours beside them"

    class Paging(models.TextChoices):
        LINK = "link", "The address of the next page: Link header, or 'next' in the answer"
        HEADER = "header", "The address of the next page in another header"
        CURSOR = "cursor", "The cursor that 'next' names in the answer, sent back as a parameter"
        PAGE = "page", "The number of the page, counted up until a page is empty"
        OFFSET = "offset", "The number of records to skip, counted up until a page is empty"

    target = models.ForeignKey(
        "syncer.Target", on_delete=models.CASCADE, related_name="routes", help_text="The remote system."
    )
    model = models.CharField(max_length=64, help_text="The model that is synced, such as news.Post.")
    enabled = models.BooleanField(default=True, help_text="Off: changes of this model wait.")
    path = models.CharField(
        max_length=256,
        blank=True,
        validators=[PATH],
        help_text="The path of these records at the target: /posts. Empty for a peer.",
    )
    create_path = models.CharField(
        max_length=256,
        blank=True,
        validators=[PATH],
        help_text="The path for new records, if different: /posts/{post}/comments. Names in braces are local fields.",
    )
    fields = models.JSONField(
        default=dict,
        blank=True,
        help_text='The fields that are sent, remote name to local field: {"userId": "user_id", "title": "title"}. '
        "Empty for a peer: all fields that may travel.",
    )
    lookup = models.JSONField(
        default=list,
        blank=True,
        help_text='Remote names by which the record of an unanswered create is found: ["userId", "title"]. Empty: the '
        "record can't be looked up, and a person decides. A new route without a lookup gets the natural key that the "
        "model's domain declares. For a peer: the fields by which objects with different keys are matched at first.",
    )
    authority = models.JSONField(
        default=dict,
        blank=True,
        help_text='The node that decides when both ends edited a field: {"quantity": "store", "exists": "ask"}. '
        "'exists': one end deleted an object that the other edited; 'ask': a person decides. Empty: as the model's "
        "domain declares. For peers.",
    )
    filter = models.JSONField(
        default=dict,
        blank=True,
        help_text='The objects that are synced, as field lookups: {"user_id__gt": 10}. Empty: all.',
    )
    trigger = models.CharField(
        max_length=32,
        default="manual",
        validators=[validate_trigger],
        help_text="When the route syncs: 'change' (at once), 'manual' (by Sync now), or 'every 5 minutes'.",
    )
    update = models.CharField(
        "update with", max_length=8, choices=Update, default=Update.PUT, help_text="How a changed record is sent."
    )
    missing = models.CharField(
        "if it is gone",
        max_length=8,
        choices=Missing,
        default=Missing.RECREATE,
        help_text="What to do when the target no longer has a record that is to be updated.",
    )
    existing = models.CharField(
        "records that are there already",
        max_length=9,
        choices=Existing,
        default=Existing.ADOPT,
        help_text="What the first sync does with records that fit the lookup. Without a lookup nothing can be adopted.",
    )
    max_deletes = models.PositiveIntegerField(
        "deletes without a question",
        null=True,
        blank=True,
        help_text="A run that would delete more records than this waits for a person. Empty: more than 20 that are "
        "also more than 10 % of the target's records.",
    )
    item_path = models.CharField(
        "path of a record",
        max_length=256,
        blank=True,
        validators=[PATH],
        help_text="Where a single record is, if it is not the path with the id behind it: /posts/{id}.json",
    )
    own_id = models.CharField(
        "our id",
        max_length=64,
        blank=True,
        help_text="The local field whose value is the record's id: new records are then made by PUT under that id. "
        "Empty: the target gives each record its id.",
    )
    send_id = models.BooleanField(
        "send the id", default=False, help_text="Updates carry the record's id in their body too, as JSON:API demands."
    )
    if_match = models.BooleanField(
        "If-Match",
        default=False,
        help_text="Change a record only if it is as we last saw it. For targets that give ETags.",
    )
    constants = models.JSONField(
        default=dict,
        blank=True,
        help_text='Values that every record has: {"type": "posts"}.',
    )
    values = models.JSONField(
        default=dict,
        blank=True,
        help_text='Other words for a field\'s values, by remote name: {"state": {"DELIVERED": "completed"}}. '
        "A value that is not named is sent as it is.",
    )
    formats = models.JSONField(
        default=dict,
        blank=True,
        help_text='How dates and numbers are written, by remote name: {"due": "date", "price": "0.00"}.',
    )
    wrap = models.CharField(
        "wrapped in", max_length=64, blank=True, help_text="Where the body of a request has the record: data"
    )
    record = models.CharField(
        "record", max_length=64, blank=True, help_text="Where the answer for one record has it: data"
    )
    ok = models.CharField(
        max_length=64, blank=True, help_text="What is true in an answer if the request was carried out: success"
    )
    error = models.CharField(
        max_length=64, blank=True, help_text="What an answer has only if the request was refused: errors"
    )
    paging = models.CharField(
        max_length=8, choices=Paging, default=Paging.LINK, help_text="What leads from one page of a list to the next."
    )
    page_name = models.CharField(
        "called",
        max_length=64,
        blank=True,
        help_text="The name of that header or parameter. Empty: Next-Page, cursor, page or offset.",
    )
    first_page = models.PositiveSmallIntegerField(
        "first page", default=1, validators=[MaxValueValidator(1)], help_text="The number of the first page: 1 or 0."
    )
    total = models.CharField(
        max_length=64,
        blank=True,
        help_text="Where a list answer says how many records there are: meta.total. Empty: X-Total-Count, "
        "Content-Range and the usual names are noticed.",
    )
    query = models.JSONField(
        "list parameters", default=dict, blank=True, help_text='Parameters of every list request: {"per_page": "100"}.'
    )
    key_hours = models.PositiveSmallIntegerField(
        "hours it remembers keys",
        default=0,
        validators=[MaxValueValidator(24 * 365)],
        help_text="Hours for which the target answers a repeated create with the same Idempotency-Key as it did the "
        "first time: an unanswered create is then sent again under its key. 0: the target does not support such keys.",
    )
    id_field = models.CharField(
        "id",
        max_length=64,
        default="id",
        help_text="The name of the record's id in the target's answers: id, or attributes.id",
    )
    items_field = models.CharField(
        "items",
        max_length=64,
        blank=True,
        help_text="Where a list answer has its records: data. Empty: the answer is the list itself.",
    )
    next_field = models.CharField(
        "next",
        max_length=64,
        blank=True,
        help_text="Where a list answer has its cursor or the address of its next page: links.next. Empty: only the "
        "header Link leads on.",
    )
    mark = models.TextField(
        blank=True, editable=False, help_text="How far the route has read the history. Empty: nothing was planned yet."
    )
    fingerprint = models.CharField(
        max_length=64, blank=True, editable=False, help_text="A digest of path, fields and filter when last planned."
    )
    planned_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the history was last read."
    )
    adopted_at = models.DateTimeField(
        "adopted",
        null=True,
        blank=True,
        editable=False,
        help_text="When the records that the target had already were matched with our objects. Empty: not yet.",
    )
    matched_at = models.DateTimeField(
        "matched",
        null=True,
        blank=True,
        editable=False,
        help_text="For a peer with a natural key: when a person confirmed how objects that both ends already had "
        "are matched. Empty: nothing is sent or accepted.",
    )

    class Meta:
        ordering = ["target", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["target", "model"],
                name="syncer_route_model",
                violation_error_message=gettext_lazy("This target has a route for this model already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} → {self.target}"

    # The models that will have a route on the same target; None: as the database says.
    beside: frozenset[str] | None = None
    # The authorities of other peers' routes of the model; None: as the database says.
    authorities: list[dict[str, str]] | None = None

    def clean(self) -> None:
        """Refuse fields that the model's domain does not release, and settings that can't work; see `mapping`.

        Raises:
            ValidationError: by column; `params["at"]` is the place inside a JSON column.
        """
        if self.model not in declarations():
            why = _("%(model)s is not a model that may travel; choose one of: %(choices)s")
            choices = mapping.listed(sorted(declarations()))
            raise ValidationError({"model": mapping.wrong(why, model=self.model, choices=choices)})
        if self.target.kind not in kinds():
            return
        kind, errors = kind_of(self.target), defaultdict[str, list[ValidationError]](list)
        for column, refusals in kind.route_errors(self):
            errors[column] += refusals
        unused = _("A route to a target of the kind '%(kind)s' does not use it; leave it empty")
        for column in unused_columns(kind, "route_columns"):
            errors[column] += [mapping.wrong(unused, kind=kind.name)] if getattr(self, column) else []
        if refused := {column: refusals for column, refusals in errors.items() if refusals}:
            raise ValidationError(refused)

    def models_beside(self) -> frozenset[str]:
        """Return the labels of the models that have a route on the same target."""
        if self.beside is not None:
            return self.beside
        return frozenset(Route.objects.filter(target=self.target_id).values_list("model", flat=True))

    @property
    def shared(self) -> tuple[str, ...]:
        """The fields that a peer and this node keep equal: all that may travel but the key, which is equal anyway."""
        key = self.declaration.model._meta.pk.name
        return tuple(name for name in self.declaration.fields if name != key)

    @property
    def interval(self) -> timedelta | None:
        """The time between two syncs: 300 s for `every 5 minutes`, None for `change` and `manual`."""
        match = EVERY.fullmatch(self.trigger)
        return timedelta(seconds=int(match[1] or 1) * UNITS[match[2]]) if match else None

    @property
    def is_matched(self) -> bool:
        """Whether objects of a two-way route may travel: with a natural key, a person has to confirm the matching."""
        return not self.lookup or self.matched_at is not None

    @property
    def can_look_up(self) -> bool:
        """Whether a record can be found without its id from the target: by its content, or by an id that we gave it."""
        return bool(self.lookup or self.own_id)

    @property
    def rules(self) -> Rules:
        """The rules that decide between concurrent edits at the two ends of a peer's route."""
        return Rules(authority={**self.declaration.authority, **self.authority})

    @property
    def declaration(self) -> Declaration:
        """The declaration of the model's domain.

        Raises:
            TargetStoppedError: the domain is not installed any more.
        """
        if self.model not in declarations():
            why = phrase(
                "%(target)s carries %(model)s, which is not installed here; delete that route",
                target=str(self.target),
                model=self.model,
            )
            raise TargetStoppedError(why)
        return declarations()[self.model]

    @property
    def sources(self) -> set[str]:
        """The fields of which a change can matter at the target: those that are sent, and those of the filter.

        Raises:
            TargetStoppedError: the domain is not installed any more.
        """
        sent = kind_of(self.target).carried(self).values()
        return {source for name in sent for source in self.declaration.sources(name)} | {
            lookup.partition("__")[0] for lookup in self.filter
        }

    def default_lookup(self) -> list[str]:
        """Return the lookup that a new route gets where none is given."""
        if self.model not in declarations() or self.target.kind not in kinds() or not isinstance(self.fields, dict):
            return []
        return kind_of(self.target).default_lookup(self)

    def current_fingerprint(self) -> str:
        """Return a digest that changes with the fields that are sent, the paths, and the filter."""
        parts = [self.path, self.create_path, self.filter, kind_of(self.target).carried(self)]
        parts += [self.constants, self.values, self.formats]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
