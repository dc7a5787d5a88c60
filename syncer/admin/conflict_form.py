"""The form that decides a conflict: for each question one of the competing values, or another value."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.admin import site
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from backoffice.kit.context import REASON_LENGTH
from syncer.core.merge import EXISTS
from syncer.reports.conflicts import Question
from syncer.targets.peer.conflicts import Open

OTHER = "other"


class DecisionForm(forms.Form):
    """Decide about any of an object's questions; a question without a choice stays open.

    For each question NAME, the field `take-NAME` is the number of one of its values, or `OTHER` for the value in the
    field `value-NAME`. After validation, `values` holds the chosen ones, `{NAME: value}`.
    """

    token = forms.CharField(widget=forms.HiddenInput)
    reason = forms.CharField(
        required=False,
        max_length=REASON_LENGTH,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("It is kept in the history, at both ends."),
    )

    def __init__(
        self, request: HttpRequest, now: Open, asked: Sequence[Question], data: QueryDict | None = None
    ) -> None:
        super().__init__(data, initial={"token": now.token})
        self.asked = asked
        self.values: dict[str, Any] = {}
        for question in asked:
            name = question.name
            numbers = [(str(number), side.text) for number, side in enumerate(question.sides)]
            self.fields[f"take-{name}"] = forms.ChoiceField(required=False, choices=[*numbers, (OTHER, "another")])
            if name != EXISTS and (field := _field(request, now, name)):
                field.widget.attrs["aria-label"] = _("Another value for %(field)s") % {"field": question.label}
                self.fields[f"value-{name}"] = field
                self.initial[f"value-{name}"] = _initial(now, name)

    @property
    def rows(self) -> list[dict[str, object]]:
        """Each question with its choice, its errors, and the field for another value, for the template."""
        rows = []
        for question in self.asked:
            taken = self[f"take-{question.name}"]
            other = self[f"value-{question.name}"] if f"value-{question.name}" in self.fields else None
            rows.append(
                {
                    "question": question,
                    "taken": taken,
                    "chosen": str(taken.value() or ""),
                    "other": other,
                    "errors": [*taken.errors, *(other.errors if other else ())],
                }
            )
        return rows

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for question in self.asked:
            self._take(question, cleaned)
        if not self.values and not self.errors:
            raise ValidationError(_("Nothing was chosen. Take one of the values, or give another."))
        return cleaned

    def _take(self, question: Question, cleaned: dict[str, Any]) -> None:
        taken, name = cleaned.get(f"take-{question.name}", ""), f"value-{question.name}"
        if not taken and name in self.fields and name in self.changed_data:
            taken = OTHER
        if taken != OTHER:
            self.errors.pop(name, None)  # a value that is not taken need not be valid
        elif name not in self.fields:
            self.add_error(f"take-{question.name}", _("Take one of these; another can't be given here."))
        elif name in cleaned:
            value = cleaned[name]
            self.values[question.name] = value.pk if isinstance(value, models.Model) else value
        if taken not in ("", OTHER):
            self.values[question.name] = question.sides[int(taken)].value

    def refuse(self, error: ValidationError) -> None:
        """Show the errors of the decision, each beside its field."""
        errors = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
        for name, texts in errors.items():
            place = next((field for field in (f"value-{name}", f"take-{name}") if field in self.fields), None)
            for text in texts:
                self.add_error(place, text if place or name == NON_FIELD_ERRORS else f"{name}: {text}")


def _field(request: HttpRequest, now: Open, name: str) -> forms.Field | None:
    """Return the form field of the object's own admin page; None if the field can't be edited there."""
    model = now.route.declaration.model
    column: Any = model._meta.get_field(name)
    page: Any = site._registry.get(model)
    if not column.editable or (page and name in page.get_readonly_fields(request, now.row)):
        return None
    field: forms.Field | None = page.formfield_for_dbfield(column, request) if page else column.formfield()
    if field is not None:
        field.required, field.show_hidden_initial, field.help_text = False, False, ""
    return field


def _initial(now: Open, name: str) -> object:
    column: Any = now.route.declaration.model._meta.get_field(name)
    if now.row is not None:
        return column.value_from_object(now.row)
    try:
        return column.to_python((now.merged.content or {}).get(name))
    except ValidationError:
        return None
