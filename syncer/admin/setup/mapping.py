"""The form of the fifth step: for each field of ours, the field of theirs that gets it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from syncer.admin.forms import ROUTE_ROWS
from syncer.admin.rows import AS_JSON, RowsField
from syncer.admin.setup.forms import PLAIN, StepForm, dress
from syncer.models import Route
from syncer.targets.guide import Example, Guide

OTHER = "*"  # in place of a name of theirs: one that is typed
SHOWN = 60  # characters of a value
COLUMNS = ("fields", "lookup", "formats", "values", "constants", "id_field", "update", "wrap")  # that the step sets


@dataclass(frozen=True, kw_only=True)
class Sides:
    """What the two columns of the page show: a record of theirs, and an object of ours.

    Attributes:
        theirs: `{"author.id": 5}`; empty where no record is known.
        unroutable: our foreign keys whose models have no route at the target.
    """

    theirs: Mapping[str, Any]
    example: Example
    unroutable: frozenset[str] = frozenset()

    def shown_theirs(self, place: str) -> str:
        return short(self.theirs[place]) if place in self.theirs else ""

    def shown_ours(self, name: str) -> str:
        return short(self.example.values[name]) if name in self.example.values else ""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One field of ours with its controls; one that can't be sent has none."""

    name: str
    ours: str
    controls: Mapping[str, forms.BoundField]
    is_computed: bool = False


def short(value: object) -> str:
    """Return a JSON value as it is shown beside a name."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


class FieldsForm(StepForm, forms.Form):
    """For each local field NAME: `to-NAME`, `other-NAME`, `form-NAME` and `find-NAME`; then what all records share."""

    def __init__(self, route: Route, guide: Guide, sides: Sides, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.route, self.guide, self.sides = route, guide, sides
        # Of several names for one field, one that their record shows; PostgreSQL keeps no order of them.
        likely_last = sorted(route.fields.items(), key=lambda pair: (pair[0] in sides.theirs, pair[0]))
        self.sent = {local: remote for remote, local in likely_last}
        self.extras = {remote: local for remote, local in route.fields.items() if self.sent[local] != remote}
        for name in route.declaration.mappable:
            if name not in sides.unroutable:
                self.fields |= dict(self._controls(name))
        self.fields |= dict(self._shared())

    # --- controls ----------------------------------------------------------------------------------------------------
    def _controls(self, name: str) -> Iterator[tuple[str, forms.Field]]:
        """Yield the controls of one local field."""
        remote = self.sent.get(name, "")
        is_known = remote in self.sides.theirs
        if self.sides.theirs:
            places = [(place, _beside(place, self.sides.shown_theirs(place))) for place in self.sides.theirs]
            choices = [("", _("Not sent")), *places, (OTHER, _("Another name:"))]
            initial = remote if is_known or not remote else OTHER
            yield f"to-{name}", _choice(_("Their field for %(name)s") % {"name": name}, choices, initial)
        label = _("Name there for %(name)s") % {"name": name}
        widget = UnfoldAdminTextInputWidget(attrs=PLAIN | {"aria-label": label, "placeholder": name})
        initial = "" if is_known else remote
        yield f"other-{name}", forms.CharField(label=label, initial=initial, widget=widget, required=False)
        yield f"form-{name}", self._format(name, remote)
        label = _("Recognize records by %(name)s") % {"name": name}
        find = forms.BooleanField(label=label, initial=remote in self.route.lookup, required=False)
        dress(find.widget)
        find.widget.attrs["aria-label"] = label
        yield f"find-{name}", find

    def _format(self, name: str, remote: str) -> forms.ChoiceField:
        """Return the choice of formats, each with what it makes of our object's value."""
        current = self.route.formats.get(remote, "")
        written = self.guide.written(self.route, name, self.sides.example.values.get(name))
        choices = [(form, _beside(form, short(value) if value != "" else "")) for form, value in written.items()]
        if current and current not in written:
            choices.append((current, current))
        label = _("How %(name)s is written") % {"name": name}
        return _choice(label, [("", _("As it is")), *choices], current)

    def _shared(self) -> Iterator[tuple[str, forms.Field]]:
        """Yield the controls for what all records share."""
        route, ids = self.route, self.guide.ids(self.sides.theirs)
        ids = list(dict.fromkeys([route.id_field, *ids]))
        places = [(place, _beside(place, self.sides.shown_theirs(place))) for place in ids]
        yield "id_field", _choice(_("Their id of a record"), places, route.id_field, required=True)
        yield (
            "update",
            _choice(
                _("How a change is sent"), [*Route._meta.get_field("update").flatchoices], route.update, required=True
            ),
        )
        wraps = dict.fromkeys(filter(None, (route.wrap, route.record, route.items_field)))
        named = [(place, _("Under the name %(place)s") % {"place": place}) for place in wraps]
        directly = ("", _("It is the body itself"))
        yield "wrap", _choice(_("Where a request has the record"), [directly, *named], route.wrap)
        constants = RowsField(
            columns=ROUTE_ROWS["constants"],
            label=gettext_lazy("Values that every record gets"),
            help_text=_("Such as status and publish. %(json)s") % {"json": AS_JSON},
            initial=route.constants,
            required=False,
        )
        yield "constants", constants

    def lines(self) -> Iterator[Line]:
        """Yield the fields of ours, with their controls, for the template."""
        for name in self.route.declaration.mappable:
            kinds = ("to", "other", "form", "find")
            controls = {kind: self[f"{kind}-{name}"] for kind in kinds if f"{kind}-{name}" in self.fields}
            is_computed = name in self.route.declaration.computed
            yield Line(name=name, ours=self.sides.shown_ours(name), controls=controls, is_computed=is_computed)

    # --- what was chosen ---------------------------------------------------------------------------------------------
    def _remote(self, name: str) -> str:
        """Return the name of theirs that was chosen or typed for a local field."""
        chosen = self.cleaned_data.get(f"to-{name}", OTHER)
        return str(self.cleaned_data.get(f"other-{name}", "") if chosen == OTHER else chosen).strip()

    def clean(self) -> dict[str, Any]:
        """Make the route of what was chosen, and show its errors beside the fields that they are about."""
        by_name: dict[str, str] = {}
        for name in self._names():
            if remote := self._remote(name):
                if remote in by_name:
                    words = {"remote": remote, "other": by_name[remote]}
                    self.add_error(f"to-{name}" if f"to-{name}" in self.fields else f"other-{name}", _taken(words))
                by_name.setdefault(remote, name)
            elif self.cleaned_data.get(f"to-{name}") == OTHER:
                self.add_error(f"other-{name}", _("Enter the name, or choose another field."))
        if not self.errors:
            self._check(by_name)
        return self.cleaned_data

    def _names(self) -> list[str]:
        return [name for name in self.route.declaration.mappable if name not in self.sides.unroutable]

    def _check(self, by_name: dict[str, str]) -> None:
        """Put what was chosen into the route, and have the model check it."""
        data, words = self.cleaned_data, self.route.values
        self.route.fields = by_name | {remote: name for remote, name in self.extras.items() if remote not in by_name}
        kept = [name for name in self.route.lookup if name in self.extras]
        self.route.lookup = [remote for remote, name in by_name.items() if data.get(f"find-{name}")] + kept
        forms_of_extras = {name: form for name, form in self.route.formats.items() if name in self.extras}
        chosen = {remote: data[f"form-{name}"] for remote, name in by_name.items() if data.get(f"form-{name}")}
        self.route.formats = forms_of_extras | chosen
        before = {remote: self.sent.get(name, "") for remote, name in by_name.items()} | {
            name: name for name in self.extras
        }
        self.route.values = {remote: words[old] for remote, old in before.items() if old in words}
        for column in ("constants", "id_field", "update", "wrap"):
            setattr(self.route, column, data[column])
        try:
            self.route.full_clean()
        except ValidationError as error:
            self._show(error, by_name)

    def _show(self, error: ValidationError, by_name: Mapping[str, str]) -> None:
        """Show each error beside the local field that it is about; the others above the form."""
        for column, refusals in error.error_dict.items():
            for refusal in refusals:
                name = by_name.get((refusal.params or {}).get("at", ""), "")
                place = {"formats": f"form-{name}", "lookup": f"find-{name}"}.get(column, f"other-{name}")
                target = place if place in self.fields else column if column in self.fields else None
                text = " ".join(refusal.messages)
                is_named = target or column == NON_FIELD_ERRORS
                self.add_error(target, text if is_named else f"{column}: {text}")

    def left_out(self) -> list[tuple[str, str]]:
        """Return their fields that get nothing of ours, with the values that the record has."""
        filled = {*self.route.fields, *self.route.constants, self.route.id_field}
        return [(place, self.sides.shown_theirs(place)) for place in self.sides.theirs if place not in filled]


def _taken(words: Mapping[str, str]) -> str:
    return _("'%(remote)s' gets %(other)s already. Choose another field, or leave one of them out.") % words


def _beside(name: str, value: str) -> str:
    return f"{name}: {value}" if value else name


def _choice(
    label: str, choices: "Sequence[tuple[str, str | Promise]]", initial: str, *, required: bool = False
) -> forms.ChoiceField:
    widget = UnfoldAdminSelectWidget(attrs={"aria-label": label})
    return forms.ChoiceField(label=label, choices=choices, initial=initial, widget=widget, required=required)
