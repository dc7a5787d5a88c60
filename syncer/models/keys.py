"""Conversions between the keys and values of content and the form in which the engine's rows hold them.

A key is the text that the database produces when it casts the primary key to text.
"""

from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models.functions import Cast


def key_of(model: type[models.Model], pk: Any) -> str:
    """Return the key of a primary key: `"5"` for `5`; a UUID has dashes on PostgreSQL and none on SQLite."""
    return str(model._meta.pk.get_db_prep_value(pk, connection, prepared=False))


def pks(model: type[models.Model], keys: Iterable[str]) -> list[Any]:
    """Return the primary keys of `keys`, in the model's own type."""
    return [model._meta.pk.to_python(key) for key in keys]


def as_pk(model: type[models.Model], key: str | models.F) -> Cast:
    """Return the expression that casts a text column to `model`'s primary key, so that its index can be used."""
    return Cast(key, model._meta.pk)


def column(model: type[models.Model], name: str | None = None) -> str:
    """Return the quoted column of a field; of the primary key where no name is given."""
    field = model._meta.pk if name is None else model._meta.get_field(name)
    return connection.ops.quote_name(str(getattr(field, "column")))  # noqa: B009


def table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def json_value(value: object) -> object:
    """Return a column's value in its JSON form: dates as ISO 8601, decimals and UUIDs as text."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    return value
