"""Shapes of requests and answers, made from a model's fields.

They hold what JSON can say: names, types, ranges of columns. The model's own rules decide the rest, in `full_clean()`.
"""

from collections.abc import Collection, Iterable
from typing import Annotated, Any

from django.db import models
from django.db.backends.base.operations import BaseDatabaseOperations
from ninja.orm.fields import TYPES
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

RANGES = BaseDatabaseOperations.integer_field_ranges


class Body(BaseModel):
    """The base of every request body: a JSON object that holds nothing but what is declared.

    Plain pydantic on purpose. ninja's Schema reads attributes of whatever comes, so the JSON string "hello" passes for
    an object whose required fields are names of str methods, such as `title` (django-ninja 1.7.1).
    """

    model_config = ConfigDict(extra="forbid")


class ListQuery(BaseModel):
    """What every list can be asked."""

    limit: int = Field(default=50, ge=1, le=500, description="Items a page.")
    cursor: str | None = Field(default=None, description="`next` of the page before.")
    count: bool = Field(default=False, description="Also count what the filters match; costs a scan.")
    all: bool = Field(default=False, description="Stream the whole list as one JSON array; goes with filters only.")


def no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("Null characters are not allowed.")
    return text


Text = Annotated[str, AfterValidator(no_nul)]


def annotation(field: "models.Field[Any, Any]", *, strict: bool = False) -> Any:
    """The type of `field` in JSON; a foreign key is the key it points to. `strict`: no number from text or a bool."""
    target = getattr(field, "target_field", field)
    kind: Any = TYPES[target.get_internal_type()]
    if kind is int:
        # The widest that each database's column holds; SQLite alone would take 64 bits everywhere.
        low, high = RANGES[target.get_internal_type()]
        kind = Annotated[int, Field(ge=low, le=high, strict=strict)]
    elif kind is str:
        documented = {"maxLength": target.max_length} if target.max_length else {}
        kind = Annotated[Text, Field(json_schema_extra=documented)]
    return kind | None if field.null else kind


def from_fields(
    name: str,
    fields: Iterable["models.Field[Any, Any]"],
    *,
    base: type[BaseModel] = Body,
    optional: Collection[str] = (),
) -> type[BaseModel]:
    """A schema of `fields`; those named in `optional` may be missing, which `model_fields_set` then tells."""
    made: dict[str, Any] = {}
    for field in fields:
        kind = annotation(field, strict=issubclass(base, Body))
        default = None if field.name in optional else ...
        made[field.name] = (kind, Field(default, description=str(field.help_text) or None))
    return create_model(name, __base__=base, **made)


def has_default(field: "models.Field[Any, Any]") -> bool:
    """A new object can do without it."""
    return field.has_default() or field.blank or field.null
