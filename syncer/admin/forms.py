"""The forms of targets and routes: columns that the kind of target does not use, and does not show, are emptied."""

from typing import Any

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from syncer.admin.general_errors import ShowsAllErrors
from syncer.admin.moving import MovingForm
from syncer.admin.route_effects import AsksBeforeSaving
from syncer.admin.rows import AS_JSON, Column, RowsForm
from syncer.core.merge import EXISTS
from syncer.models import Route, Target
from syncer.models.mapping import declarations
from syncer.targets.base import kind_of, kinds, unused_columns

TAKEN = next(
    constraint.violation_error_message
    for constraint in Target._meta.constraints
    if constraint.name == "syncer_target_peer_node"
)


NOT_CARRIED = _(
    "%(value)s is not a model that you may have sent: whoever sets up a route must be allowed to view all that it "
    "carries."
)
ASK = "ask"  # in place of a node: a person decides


def local_fields() -> dict[str, tuple[str, ...]]:
    """Return the fields that may travel, computed ones too, `{"news.Post": names}`."""
    return {label: declaration.mappable for label, declaration in sorted(declarations().items())}


def decided_fields() -> dict[str, tuple[str, ...]]:
    """Return what two ends can edit at once: a field, or whether the object exists."""
    return {"": (EXISTS,), **local_fields()}


def nodes() -> dict[str, list[str]]:
    """Return what can decide between two ends: this node, a peer, or a person."""
    peers = Target.objects.exclude(peer_node="").values_list("peer_node", flat=True)
    return {"": [settings.NODE, *peers, ASK]}


def formats() -> dict[str, list[str]]:
    """Return the ways in which the kinds of targets can write a value."""
    return {"": [*dict.fromkeys(name for kind in kinds().values() for name in kind.formats)]}


def described_formats() -> dict[str, str]:
    """Return what a format is called: its name, and an example of what it writes."""
    return {name: f"{name}: {sample}" for kind in kinds().values() for name, sample in kind.formats.items()}


REMOTE_NAME = Column(title=_("remote name"), names_of="fields")
PARAMETERS = (Column(title=_("parameter")), Column(title=_("value"), may_be_empty=True))
TARGET_ROWS = {
    "headers": (Column(title=_("header")), Column(title=_("value"), may_be_empty=True)),
    "query": PARAMETERS,
}
ROUTE_ROWS = {
    "fields": (Column(title=_("remote name")), Column(title=_("local field"), choices=local_fields)),
    "lookup": (Column(title=_("name"), suggestions=local_fields, names_of="fields"),),
    "filter": (Column(title=_("field lookup"), suggestions=local_fields), Column(title=_("value"), is_json=True)),
    "constants": (Column(title=_("remote name")), Column(title=_("value"), is_json=True)),
    "values": (
        REMOTE_NAME,
        Column(title=_("our value"), may_be_empty=True),
        Column(title=_("their value"), is_json=True),
    ),
    "formats": (REMOTE_NAME, Column(title=_("format"), choices=formats, described=described_formats)),
    "query": PARAMETERS,
    "authority": (Column(title=_("field"), choices=decided_fields), Column(title=_("node"), suggestions=nodes)),
}


class TargetForm(MovingForm, RowsForm):
    """The form of a target; empties the columns that only other kinds use."""

    class Meta:
        help_texts = {
            "headers": _(
                "Headers of every request, such as Accept and application/vnd.api+json. No secrets: those belong to "
                "the sign-in."
            ),
            "query": _("Parameters of every request's address, such as api-version and 2026-01-01. No secrets."),
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        kind = kinds().get(cleaned.get("kind", ""))
        for name in unused_columns(kind, "target_columns") if kind else ():
            column: Any = Target._meta.get_field(name)
            self.errors.pop(name, None)
            cleaned[name] = column.get_default()
        return cleaned

    def _update_errors(self, errors: ValidationError) -> None:
        """Show the error about a node that has a target already at the field `peer_node`."""
        if hasattr(errors, "error_dict"):
            general = errors.error_dict.pop(NON_FIELD_ERRORS, [])
            if taken := [error for error in general if TAKEN in error.messages]:
                errors.error_dict["peer_node"] = taken
            if others := [error for error in general if error not in taken]:
                errors.error_dict[NON_FIELD_ERRORS] = others
        super()._update_errors(errors)


class RouteForm(ShowsAllErrors, AsksBeforeSaving):
    """The form of a route; empties the columns that it does not show, and fills the lookup of a new route."""

    class Meta:
        help_texts = {
            "fields": _("What is sent: the target's name of each value, and the field here that has it."),
            "lookup": _(
                "The remote names by which a record is found again when the answer to its create was lost. Without "
                "rows, a new route gets the natural key of its model; otherwise a person decides."
            ),
            "filter": format_lazy(
                "{} {}", _("Only objects that fit every row are synced, such as user_id__gt and 10."), AS_JSON
            ),
            "constants": format_lazy(
                "{} {}", _("What every record has beside the fields, such as type and posts."), AS_JSON
            ),
            "values": format_lazy(
                "{} {}",
                _(
                    "What the target calls a value of ours, such as state, DELIVERED and completed. A value that is "
                    "not listed is sent as it is."
                ),
                AS_JSON,
            ),
            "formats": _(
                "How dates, numbers and ids are written. Each choice shows an example. A field without a row is "
                "written as ISO 8601 (dates and times), as text (decimals) or as JSON writes it."
            ),
            "query": _("Parameters of every list request, such as per_page and 100."),
            "authority": _(
                "The node that decides when both ends edited a field; exists: one end deleted what the other edited; "
                "ask: a person decides. A field without a row is decided as its domain declares."
            ),
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if target := cleaned.get("target"):
            for name in unused_columns(kind_of(target), "route_columns"):
                if name not in self.fields:
                    column: Any = Route._meta.get_field(name)
                    setattr(self.instance, name, column.get_default())
            for name, (other, values) in kind_of(target).pages.shown_for.items():
                if name in self.fields and cleaned.get(other) not in values:
                    self.errors.pop(name, None)
                    cleaned[name] = Route._meta.get_field(name).get_default()  # type: ignore[union-attr]
            if self.instance.pk is None and not cleaned.get("lookup"):
                new = Route(target=target, model=cleaned.get("model", ""), fields=cleaned.get("fields"))
                cleaned["lookup"] = new.default_lookup()
        return cleaned
