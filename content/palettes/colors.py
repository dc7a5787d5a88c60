"""A list of colours: how it is written, kept and shown."""

import re
from collections.abc import Iterable
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Cast
from django.db.models.lookups import Regex
from pydantic import Field

MOST = 64  # colours of one palette
COLOR = re.compile(r"#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")
# For the API's description only: the model says which colour is wrong.
Color = Annotated[str, Field(json_schema_extra={"pattern": f"^{COLOR.pattern}$"})]
# As PostgreSQL and Python write JSON, and as SQLite's json() does, which leaves the space out.
STORED = r'^\[("#[0-9A-F]{6}"(, ?"#[0-9A-F]{6}"){0,' + str(MOST - 1) + r"})?\]$"


class Colors(list[str]):
    """Colours as `#RRGGBB`. Its text has a space between them, which is also how people may write them."""

    def __str__(self) -> str:
        return " ".join(self)


def normal(color: Any) -> str:
    """`#abc` and `#aabbcc` as `#AABBCC`.

    Raises:
        ValidationError: it is neither of the two.
    """
    if not isinstance(color, str) or not COLOR.fullmatch(color):
        raise ValidationError(f"“{color}” is not a colour; write #RGB or #RRGGBB.", code="color")
    digits = color[1:].upper()
    return "#" + ("".join(digit * 2 for digit in digits) if len(digits) == 3 else digits)


def colors_of(value: Any) -> Colors:
    """The colours of a list, or of a text with spaces, commas or lines between; of None, no colours.

    Raises:
        ValidationError: one is no colour (each is named, with its place), or there are more than MOST.
    """
    if isinstance(value, str):
        value = re.findall(r"[^\s,]+", value)
    if value is None:
        return Colors()
    if not isinstance(value, list | tuple):
        raise ValidationError("The colours must be a list.", code="list")
    if len(value) > MOST:
        raise ValidationError(f"These are {len(value)} colours; at most {MOST} are allowed.", code="many")
    return _all_normal(value)


def _all_normal(value: Iterable[Any]) -> Colors:
    found, wrong = Colors(), []
    for number, color in enumerate(value, 1):
        try:
            found.append(normal(color))
        except ValidationError as error:
            wrong.append(ValidationError(f"Colour {number}: {error.messages[0]}", code="color"))
    if wrong:
        raise ValidationError(wrong)
    return found


class ColorsField(models.JSONField):
    """A JSON list of `#RRGGBB`. Whatever is written becomes that, at every door: forms, saves and bulk writes."""

    def to_python(self, value: Any) -> Colors:
        return colors_of(value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        found = super().from_db_value(value, expression, connection)
        return Colors(found) if isinstance(found, list) else found

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        plain = not hasattr(value, "as_sql")  # else an expression
        return super().get_db_prep_save(colors_of(value) if plain else value, connection)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 - Django's signature
        value = super().pre_save(model_instance, add)
        if not hasattr(value, "as_sql"):
            value = colors_of(value)
            setattr(model_instance, self.attname, value)  # the history row is made from the object
        return value

    def formfield(self, **options: Any) -> Any:
        from content.palettes.forms import ColorsFormField

        chosen = {"form_class": ColorsFormField, "widget": ColorsFormField.widget}
        return models.Field.formfield(self, **{**options, **chosen})


def colors_constraint(field: str) -> models.CheckConstraint:
    """`ColorsField`'s rule in the database."""
    return models.CheckConstraint(
        name=f"%(app_label)s_%(class)s_{field}_list",
        condition=models.Q(Regex(Cast(field, models.TextField()), STORED)),
        violation_error_message=f"{field} must be a list of at most {MOST} colours as #RRGGBB.",
    )
