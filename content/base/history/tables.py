"""The tables and columns that have history, as SQL names them."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import truncate_name

from backoffice.kit.history import has_history, history_of

# The columns of a history row that describe the change, beside the copied ones; the triggers give each a value.
CHANGE = (
    "history_date",
    "history_type",
    "history_user_id",
    "history_user_name",
    "history_change_reason",
    "request_id",
    "origin",
    "origin_user",
)


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A table whose changes are recorded.

    Attributes:
        name: the name, as in `django.db.models.Options.db_table`.
        live: the name in SQL: quoted, with the schema where the database has schemas.
        history: the name in SQL of the table of its history rows.
        key: the column of the primary key, quoted, as all columns.
        columns: the columns that a history row copies.
        counted: the columns of which a change counts as a change of the row: all but `automatic`.
        automatic: the columns that Django sets at each save (`auto_now`).
    """

    name: str
    live: str
    history: str
    key: str
    columns: tuple[str, ...]
    counted: tuple[str, ...]
    automatic: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """The intended state of a trigger: its `definition` as the database reports it, and statements that create it."""

    name: str
    definition: str
    create: tuple[str, ...]


def trigger_name(event: str, table: Recorded, longest: int) -> str:
    """Return a trigger's name, such as `history_update_news_post`, shortened to at most `longest`."""
    return truncate_name(f"history_{event}_{table.name}", longest)


def recorded_models() -> list[type[models.Model]]:
    """Return the models that have history."""
    return [model for model in apps.get_models() if has_history(model)]


@cache
def recorded_tables() -> frozenset[str]:
    """Return the names of the tables that have history."""
    return frozenset(model._meta.db_table for model in recorded_models())


def recorded(
    model: type[models.Model],
    connection: BaseDatabaseWrapper,
    *,
    schema: str = "",
    history: type[models.Model] | None = None,
) -> Recorded:
    """Return the description of a model's table.

    Args:
        schema: the tables' schema, quoted; empty for the connection's default.
        history: the model of the history rows; needed where `model` is a migration's historical model.
    """
    quote, prefix = connection.ops.quote_name, f"{schema}." if schema else ""
    fields: list[Any] = [model._meta.pk, *(field for field in model._meta.concrete_fields if not field.primary_key)]
    automatic = tuple(quote(field.column) for field in fields if getattr(field, "auto_now", False))
    columns = tuple(quote(field.column) for field in fields)
    return Recorded(
        name=model._meta.db_table,
        live=prefix + quote(model._meta.db_table),
        history=prefix + quote((history or history_of(model))._meta.db_table),
        key=columns[0],
        columns=columns,
        counted=tuple(name for name in columns if name not in automatic),
        automatic=automatic,
    )
