"""Which tables have history, and which of their columns, as SQL names them."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import truncate_name

from backoffice.kit.history import has_history, history_of

# What a history row says of its change, beside the columns of the object; `triggers` give each a value.
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
        name: as in `django.db.models.Options.db_table`.
        live: the same, as SQL names it: quoted, with the schema where the database has schemas.
        history: the table of its history rows, likewise.
        key: the column of its primary key, quoted, as all columns.
        columns: those that a history row copies.
        counted: those by which an update counts as a change: all but `automatic`.
        automatic: those that Django sets at each save (`auto_now`).
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
    """A trigger as it should be.

    Attributes:
        definition: what the database gives back of it, to tell whether it is as it should be.
        create: the statements that make it.
    """

    name: str
    definition: str
    create: tuple[str, ...]


def trigger_name(event: str, of: Recorded, longest: int) -> str:
    """Such as `history_update_news_post`; a table's name may be as long as names may be."""
    return truncate_name(f"history_{event}_{of.name}", longest)


def recorded_models() -> list[type[models.Model]]:
    """The models whose history the database writes."""
    return [one for one in apps.get_models() if has_history(one)]


@cache
def recorded_tables() -> frozenset[str]:
    """The names of the tables that have history."""
    return frozenset(one._meta.db_table for one in recorded_models())


def recorded(
    model: type[models.Model],
    connection: BaseDatabaseWrapper,
    *,
    schema: str = "",
    history: type[models.Model] | None = None,
) -> Recorded:
    """How the table of `model` is recorded.

    Args:
        schema: where the tables are, quoted; empty: where the connection finds them.
        history: the model of its history rows, where `model` is one of a migration.
    """
    quote, prefix = connection.ops.quote_name, f"{schema}." if schema else ""
    fields: list[Any] = [model._meta.pk, *(one for one in model._meta.concrete_fields if not one.primary_key)]
    automatic = tuple(quote(one.column) for one in fields if getattr(one, "auto_now", False))
    columns = tuple(quote(one.column) for one in fields)
    return Recorded(
        name=model._meta.db_table,
        live=prefix + quote(model._meta.db_table),
        history=prefix + quote((history or history_of(model))._meta.db_table),
        key=columns[0],
        columns=columns,
        counted=tuple(name for name in columns if name not in automatic),
        automatic=automatic,
    )
