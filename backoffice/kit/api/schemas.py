"""Schemas of requests and answers, made from a model's fields.

They check names, types and the ranges of columns. The model checks the rest, in `full_clean()`.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.backends.base.operations import BaseDatabaseOperations
from django.utils.timezone import is_aware, make_aware
from ninja.orm.fields import TYPES
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, create_model

RANGES = BaseDatabaseOperations.integer_field_ranges
Column: TypeAlias = "models.Field[Any, Any]"
DATE = re.compile(r"\d{4}-\d\d-\d\d")


class Body(BaseModel):
    """The base of every request body: a JSON object that holds nothing but what is declared.

    Plain pydantic on purpose. ninja's Schema reads attributes of whatever comes, so the JSON string "hello" passes for
    an object whose required fields are names of str methods, such as `title` (django-ninja 1.7.1).
    """

    model_config = ConfigDict(extra="forbid")


Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    next: str | None


class PageQuery(BaseModel):
    """The parameters of every list."""

    limit: int = Field(default=50, ge=1, le=500, description="Items a page.")
    cursor: str | None = Field(default=None, description="`next` of the page before.")


class ListQuery(PageQuery):
    """The parameters of a list of content, beside its filters."""

    count: bool = Field(default=False, description="Also count what the filters match; costs a scan.")
    all: bool = Field(
        default=False, description="Stream the whole list as one JSON array; not with `limit`, `cursor` or `count`."
    )


def no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("Null characters are not allowed.")
    return text


Text = Annotated[str, AfterValidator(no_nul)]


def written_out(value: object) -> object:
    """Refuse a number, also as a text, which pydantic would take for the seconds since 1970.

    Raises:
        ValueError: `value` is not a date, or a text that begins with one.
    """
    if not isinstance(value, date) and not (isinstance(value, str) and DATE.match(value)):
        raise ValueError("Give date and time as in 2030-01-31T09:00:00Z.")
    return value


def in_utc(time: datetime) -> datetime:
    """Return `time` in UTC, as every database stores it; without an offset it is in this node's time zone.

    Raises:
        ValueError: the time in UTC is before the year 1 or after 9999.
    """
    try:
        return (time if is_aware(time) else make_aware(time)).astimezone(UTC)
    except OverflowError:
        raise ValueError("This is before the year 1 or after 9999 in UTC.") from None


def annotation(field: Column, *, strict: bool = False, compared: bool = False) -> Any:
    """Return the type of `field` in JSON; that of a foreign key is the type of the key it refers to.

    Args:
        strict: whether to refuse numbers given as a text or a bool.
        compared: whether the value is only compared with the column, so that any text will do.
    """
    target = getattr(field, "target_field", field)
    kind: Any = TYPES[target.get_internal_type()]
    if kind is int:
        low, high = _range(target)
        kind = Annotated[int, Field(ge=low, le=high, strict=strict)]
    elif target.choices:
        kind = Literal[tuple(value for value, _ in target.flatchoices)]
    elif kind is str:
        kind = Text if compared else Annotated[Text, Field(json_schema_extra=_documented(target))]
    elif kind is date:
        kind = Annotated[kind, BeforeValidator(written_out)]
    elif kind is datetime:
        kind = Annotated[kind, BeforeValidator(written_out), AfterValidator(in_utc)]
    return kind | None if field.null else kind


def _range(field: Column) -> tuple[int, int]:
    """Return the widest range that every database's column (SQLite's is always 64 bits) and the model allow."""
    low, high = RANGES[field.get_internal_type()]
    for validator in field.validators:
        if isinstance(validator, MinValueValidator):
            low = max(low, validator.limit_value)
        elif isinstance(validator, MaxValueValidator):
            high = min(high, validator.limit_value)
    return low, high


def _documented(field: Column) -> dict[str, Any]:
    """Return a text's limits for the API's description only: the model's validators check them, in our own words."""
    limits: dict[str, Any] = {"maxLength": field.max_length} if field.max_length else {}
    for validator in field.validators:
        limits |= getattr(validator, "json_schema", {})
    return limits


def from_fields(
    name: str,
    fields: Iterable[Column],
    *,
    base: type[BaseModel] = Body,
    optional: Collection[str] = (),
    types: Mapping[str, Any] | None = None,
) -> type[BaseModel]:
    """Return a schema of `fields`, called `name` in the API's description.

    Args:
        optional: the fields that may be missing; `model_fields_set` names those that were given.
        types: the types of fields that their column does not define, `{"colors": list[str]}`.
    """
    annotations: dict[str, Any] = {}
    for field in fields:
        kind = (types or {}).get(field.name) or annotation(field, strict=issubclass(base, Body))
        default = None if field.name in optional else ...
        annotations[field.name] = (kind, Field(default, description=str(field.help_text) or None))
    return create_model(name, __base__=base, **annotations)


def has_default(field: Column) -> bool:
    """Return whether a new object may leave the field out."""
    return field.has_default() or field.blank or field.null
