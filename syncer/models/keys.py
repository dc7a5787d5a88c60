"""Keys and values of content as the engine's rows hold them.

A key is the text that the database makes of the primary key in a cast to text.
"""

from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models.functions import Cast


def key_of(model: type[models.Model], pk: Any) -> str:
    """`5` → `"5"`; a UUID with dashes on PostgreSQL and without on SQLite, as they store it."""
    return str(model._meta.pk.get_db_prep_value(pk, connection, prepared=False))


def pks(model: type[models.Model], keys: Iterable[str]) -> list[Any]:
    """The primary keys that `keys` stand for, in the model's own type."""
    return [model._meta.pk.to_python(key) for key in keys]


def as_pk(model: type[models.Model], key: Any) -> Cast:
    """The expression that turns a text column into `model`'s key, so that its index serves."""
    return Cast(key, model._meta.pk)


def column(model: type[models.Model], name: str | None = None) -> str:
    """The quoted column of a field, of the primary key where no name is given."""
    field = model._meta.pk if name is None else model._meta.get_field(name)
    return connection.ops.quote_name(str(getattr(field, "column")))  # noqa: B009


def table(model: type[models.Model]) -> str:
    """The quoted table of a model."""
    return connection.ops.quote_name(model._meta.db_table)


def json_value(value: Any) -> Any:
    """A column's value as JSON has it: dates as ISO 8601, decimals and UUIDs as text."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    return value
