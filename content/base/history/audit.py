"""Rows that differ from their newest history row: what was written while the triggers were off.

They are off while a migration runs, in a restore of data alone, and where somebody switched them off.

- A writer that commits meanwhile is not found: row and history row are one transaction, so whatever sees both in one
  statement sees both or none.
- A million rows are looked at in constant memory, a page of keys at a time, and nothing is locked that is well.
- What is recorded is copied within the database, so that it can't differ again by having been read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import RunPython

from content.base.history.cause import change
from content.base.history.tables import Recorded, recorded
from content.base.history.triggers import dialect_of

PAGE = 1000  # keys
REASON = "Changed without history; recorded afterwards."


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some of a table's keys.

    Attributes:
        last: the last of them.
        found: those that differ, with what is missing in history: `[(key, "+" | "~" | "-"), …]`.
    """

    last: Any
    found: list[tuple[Any, str]]


def pages(of: Recorded, connection: BaseDatabaseWrapper, *, record: bool = False) -> Iterator[Page]:
    """Compare all rows with their newest history rows; `record`: write the history rows that are missing."""
    after: list[Any] = []  # the last key of the page before; none yet
    while last := _last_key(of, connection, after):
        found = _drift(of, connection, after, last)
        if found and record:
            _record(of, connection, after, last)
        yield Page(last=last[0], found=found)
        after = last


def _last_key(of: Recorded, connection: BaseDatabaseWrapper, after: list[Any]) -> list[Any]:
    """Of the page behind `after`; empty: there is none."""
    behind = f"WHERE {of.key} > %s" if after else ""
    page = f"SELECT DISTINCT {of.key} AS pk FROM {{}} {behind} ORDER BY {of.key} LIMIT {PAGE}"
    both = " UNION ".join(f"SELECT pk FROM ({page.format(table)}) AS keys" for table in (of.live, of.history))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pk FROM ({both}) AS keys ORDER BY pk LIMIT {PAGE}", after * 2)
        return [row[0] for row in cursor.fetchall()][-1:]


def _drift(of: Recorded, connection: BaseDatabaseWrapper, after: list[Any], last: list[Any]) -> list[tuple[Any, str]]:
    with connection.cursor() as cursor:
        statement = f"{_drift_of(of, connection, after)} SELECT pk, kind FROM drift ORDER BY pk"
        cursor.execute(statement, [*after, *last] * 2)
        return list(cursor.fetchall())


def _record(of: Recorded, connection: BaseDatabaseWrapper, after: list[Any], last: list[Any]) -> None:
    """Every ordinary writer holds a row's lock until its history row is committed, so it is taken first."""
    values = {
        "history_date": dialect_of(connection).NOW,
        "history_type": "kind",
        "origin": "''",
        "origin_user": "''",
    }
    said = {
        "history_user_id": change().get("user"),
        "history_user_name": change().get("user_name", ""),
        "history_change_reason": change().get("reason", REASON),
        "request_id": change().get("request_id", ""),
    }
    copied = ", ".join(f"CASE WHEN kind = '-' THEN h.{name} ELSE t.{name} END" for name in of.columns)
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        if connection.features.has_select_for_update:
            cursor.execute(f"SELECT 1 FROM {of.live} WHERE {_between(of, after)} FOR UPDATE", [*after, *last])
        cursor.execute(
            f"{_drift_of(of, connection, after)} "
            f"INSERT INTO {of.history} ({', '.join((*of.columns, *values, *said))}) "
            f"SELECT {copied}, {', '.join((*values.values(), *('%s' for _ in said)))} FROM drift "
            f"LEFT JOIN {of.live} t ON t.{of.key} = pk LEFT JOIN {of.history} h ON h.history_id = newest ORDER BY pk",
            [*[*after, *last] * 2, *said.values()],
        )


def _between(of: Recorded, after: list[Any]) -> str:
    return f"{of.key} > %s AND {of.key} <= %s" if after else f"{of.key} <= %s"


def _drift_of(of: Recorded, connection: BaseDatabaseWrapper, after: list[Any]) -> str:
    """The table `drift (pk, kind, newest)` of a page: what differs, how, and its newest history row."""
    page = _between(of, after)
    return f"""
        WITH last AS (
            SELECT {of.key} AS pk, max(history_id) AS newest FROM {of.history} WHERE {page} GROUP BY {of.key}
        ), keys AS (
            SELECT {of.key} AS pk FROM {of.live} WHERE {page} UNION SELECT pk FROM last
        ), pairs AS (
            SELECT keys.pk, newest, t.{of.key} IS NOT NULL AS is_live, h.history_type <> '-' AS is_known,
                {dialect_of(connection).differ(of, "t", "h")} AS differs
            FROM keys
            LEFT JOIN last ON last.pk = keys.pk
            LEFT JOIN {of.history} h ON h.history_id = newest
            LEFT JOIN {of.live} t ON t.{of.key} = keys.pk
        ), drift AS (
            SELECT pk, newest, CASE WHEN NOT is_live THEN '-' WHEN is_known THEN '~' ELSE '+' END AS kind
            FROM pairs WHERE is_live AND (is_known IS NOT TRUE OR differs) OR is_known AND NOT is_live
        )
    """


def record_history(*labels: str) -> RunPython:
    """An operation for migrations that change rows: writes the history of these models, such as `"palettes.Team"`."""

    def forward(apps: Any, schema_editor: Any) -> None:
        for label in labels:
            app, name = label.split(".")
            history = apps.get_model(app, f"Historical{name}")
            of = recorded(apps.get_model(app, name), schema_editor.connection, history=history)
            for _ in pages(of, schema_editor.connection, record=True):
                pass

    return RunPython(forward, RunPython.noop)
