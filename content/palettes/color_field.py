"""A list of colors: its column, form field and constraint."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Cast
from django.db.models.lookups import Regex
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from content.base.fields import FieldCheck
from content.palettes.colors import MOST, Colors, colors_of, is_normal

# The JSON of PostgreSQL and Python, and of SQLite's json(), which writes no space.
STORED = r'^\[("#[0-9A-F]{6}"(, ?"#[0-9A-F]{6}"){0,' + str(MOST - 1) + r"})?\]$"


class ColorsWidget(UnfoldAdminTextareaWidget):  # type: ignore[misc]
    """A textarea of colors; with JavaScript, also a color input for each color."""

    def __init__(self) -> None:
        texts = {
            "data-named": _("Color %(number)s"),
            "data-wrong": _("“%(color)s” is not a color"),
            "data-add": _("Add a color"),
        }
        super().__init__(attrs={"rows": 3, "data-colors": "", "spellcheck": "false", **texts})

    class Media:
        js = ("palettes/colors.js",)
        css = {"all": ("palettes/colors.css",)}


class ColorsFormField(forms.Field):
    widget = ColorsWidget

    def to_python(self, value: object) -> Colors:
        return colors_of(value)

    def prepare_value(self, value: Any) -> Any:
        return " ".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(initial) != self.to_python(data)
        except ValidationError:
            return True


class ColorsField(models.JSONField):
    """A JSON list of `#RRGGBB`. Every write is normalized to that: forms, saves and bulk writes."""

    def to_python(self, value: object) -> Colors:
        return colors_of(value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        colors = super().from_db_value(value, expression, connection)
        return Colors(colors) if isinstance(colors, list) else colors

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        is_expression = hasattr(value, "as_sql")
        return super().get_db_prep_save(value if is_expression else colors_of(value), connection)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 - Django's signature
        value = super().pre_save(model_instance, add)
        if not hasattr(value, "as_sql"):
            value = colors_of(value)
            setattr(model_instance, self.attname, value)  # the object shows the stored value after a save
        return value

    def formfield(self, **options: Any) -> Any:
        own = {"form_class": ColorsFormField, "widget": ColorsFormField.widget}
        return models.Field.formfield(self, **{**options, **own})


def _is_stored_form(value: object) -> bool:
    return isinstance(value, list) and len(value) <= MOST and all(map(is_normal, value))


def colors_constraint(field: str) -> FieldCheck:
    """Return the constraint for a `ColorsField`."""
    return FieldCheck(
        field=field,
        holds=_is_stored_form,
        name=f"%(app_label)s_%(class)s_{field}_list",
        condition=models.Q(Regex(Cast(field, models.TextField()), STORED)),
        violation_error_message=format_lazy(
            _("{field} must be a list of at most {most} colors as #RRGGBB."), field=field, most=MOST
        ),
    )
