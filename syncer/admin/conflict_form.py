"""The form in which a conflict is decided: of each field one of the values that stand there, or another."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.admin import site
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from backoffice.kit.context import REASON_LENGTH
from syncer.core.merge import EXISTS
from syncer.reports.conflicts import Question
from syncer.targets.peer.conflicts.waiting import Open

OTHER = "other"


class DecisionForm(forms.Form):
    """`take-NAME` is the number of a value, or OTHER: then it is `value-NAME`; without either the field stays open."""

    token = forms.CharField(widget=forms.HiddenInput)
    reason = forms.CharField(
        required=False,
        max_length=REASON_LENGTH,
        widget=UnfoldAdminTextInputWidget,
        help_text="Why so? It is kept in the history, at both ends.",
    )

    def __init__(self, request: HttpRequest, now: Open, asked: Sequence[Question], data: Any = None) -> None:
        super().__init__(data, initial={"token": now.token})
        self.asked = asked
        self.values: dict[str, Any] = {}
        for one in asked:
            numbers = [(str(number), side.text) for number, side in enumerate(one.sides)]
            self.fields[f"take-{one.name}"] = forms.ChoiceField(required=False, choices=[*numbers, (OTHER, "another")])
            if one.name != EXISTS and (field := _field(request, now, one.name)):
                self.fields[f"value-{one.name}"] = field
                self.initial[f"value-{one.name}"] = _initial(now, one.name)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """For the template, each question with what was chosen of it, its errors, and the field for another value."""
        return [self._row(one) for one in self.asked]

    def _row(self, one: Question) -> dict[str, Any]:
        taken = self[f"take-{one.name}"]
        other = self[f"value-{one.name}"] if f"value-{one.name}" in self.fields else None
        errors = [*taken.errors, *(other.errors if other else ())]
        return {"question": one, "taken": taken, "chosen": str(taken.value() or ""), "other": other, "errors": errors}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for one in self.asked:
            self._take(one, cleaned)
        if not self.values and not self.errors:
            raise ValidationError("Nothing was chosen. Take one of the values, or give another.")
        return cleaned

    def _take(self, one: Question, cleaned: dict[str, Any]) -> None:
        taken, name = cleaned.get(f"take-{one.name}", ""), f"value-{one.name}"
        if not taken and name in self.fields and name in self.changed_data:
            taken = OTHER
        if taken != OTHER:
            self.errors.pop(name, None)  # what nobody takes need not be valid
        elif name not in self.fields:
            self.add_error(f"take-{one.name}", "Take one of these; another can't be given here.")
        elif name in cleaned:
            value = cleaned[name]
            self.values[one.name] = value.pk if isinstance(value, models.Model) else value
        if taken not in ("", OTHER):
            self.values[one.name] = one.sides[int(taken)].value

    def refuse(self, error: ValidationError) -> None:
        """Show what was wrong with the decision, beside its field."""
        found = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
        for name, texts in found.items():
            place = next((at for at in (f"value-{name}", f"take-{name}") if at in self.fields), None)
            for text in texts:
                self.add_error(place, text if place or name == NON_FIELD_ERRORS else f"{name}: {text}")


def _field(request: HttpRequest, now: Open, name: str) -> forms.Field | None:
    """As in the object's own form; None: it can't be edited there."""
    model = now.route.declaration.model
    column: Any = model._meta.get_field(name)
    page: Any = site._registry.get(model)
    if not column.editable or (page and name in page.get_readonly_fields(request, now.row)):
        return None
    field: forms.Field | None = page.formfield_for_dbfield(column, request) if page else column.formfield()
    if field is not None:
        field.required, field.show_hidden_initial, field.help_text = False, False, ""
    return field


def _initial(now: Open, name: str) -> Any:
    column: Any = now.route.declaration.model._meta.get_field(name)
    if now.row is not None:
        return column.value_from_object(now.row)
    try:
        return column.to_python((now.merged.content or {}).get(name))
    except ValidationError:
        return None
