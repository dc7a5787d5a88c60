"""Find rows that differ from their newest history row because they were written while the triggers were off.

The triggers are off while a migration runs, during a data-only restore, and where somebody disabled them.

- A concurrent writer is never reported: a row and its history row are written in one transaction, so one statement
  sees both of them or neither.
- Memory is constant: the tables are compared one page of keys at a time. Only pages that differ are locked.
- Missing history is copied within the database. A value that went through Python could differ again.
"""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython
from django.db.migrations.state import StateApps

from content.base.history.cause import change
from content.base.history.tables import Recorded, recorded
from content.base.history.triggers import dialect_of

PAGE = 1000  # keys
REASON = "Changed without history; recorded afterwards."


def pages(table: Recorded, connection: BaseDatabaseWrapper, *, record: bool = False) -> Iterator[list[tuple[Any, str]]]:
    """Compare all rows with their newest history rows, page by page, and write what is missing if `record` is set.

    Yields for each page the keys that differ, with the type of the missing history row: `[(key, "+" | "~" | "-"), …]`.
    """
    after: list[Any] = []  # the last key of the previous page; empty before the first page
    while last := _last_key(table, connection, after):
        with connection.cursor() as cursor:
            statement = f"{_drift_of(table, connection, after)} SELECT pk, kind FROM drift ORDER BY pk"
            cursor.execute(statement, [*after, *last] * 2)
            differing = list(cursor.fetchall())
        if differing and record:
            _record(table, connection, after, last)
        yield differing
        after = last


def _last_key(table: Recorded, connection: BaseDatabaseWrapper, after: list[Any]) -> list[Any]:
    """Return the last key of the page that follows `after`, as a list of one; empty after the last page."""
    behind = f"WHERE {table.key} > %s" if after else ""
    page = f"SELECT DISTINCT {table.key} AS pk FROM {{}} {behind} ORDER BY {table.key} LIMIT {PAGE}"
    both = " UNION ".join(f"SELECT pk FROM ({page.format(name)}) AS keys" for name in (table.live, table.history))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pk FROM ({both}) AS keys ORDER BY pk LIMIT {PAGE}", after * 2)
        return [row[0] for row in cursor.fetchall()][-1:]


def _record(table: Recorded, connection: BaseDatabaseWrapper, after: list[Any], last: list[Any]) -> None:
    """Write the missing history rows of one page.

    An ordinary writer holds a row's lock until its history row is committed, so the rows are locked before they are
    compared again.
    """
    now = dialect_of(connection).NOW
    values = {"history_date": now, "history_type": "kind", "origin": "''", "origin_user": "''"}
    cause = change()
    causes = {
        "history_user_id": cause.get("user"),
        "history_user_name": cause.get("user_name", ""),
        "history_change_reason": cause.get("reason", REASON),
        "request_id": cause.get("request_id", ""),
    }
    copied = ", ".join(f"CASE WHEN kind = '-' THEN h.{name} ELSE t.{name} END" for name in table.columns)
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        if connection.features.has_select_for_update:
            cursor.execute(f"SELECT 1 FROM {table.live} WHERE {_between(table, after)} FOR UPDATE", [*after, *last])
        cursor.execute(
            f"{_drift_of(table, connection, after)} "
            f"INSERT INTO {table.history} ({', '.join((*table.columns, *values, *causes))}) "
            f"SELECT {copied}, {', '.join((*values.values(), *('%s' for _ in causes)))} FROM drift "
            f"LEFT JOIN {table.live} t ON t.{table.key} = pk LEFT JOIN {table.history} h ON h.history_id = newest "
            "ORDER BY pk",
            [*[*after, *last] * 2, *causes.values()],
        )


def _between(table: Recorded, after: list[Any]) -> str:
    """Return the SQL condition for the keys of one page; its parameters are `[*after, *last]`."""
    return f"{table.key} > %s AND {table.key} <= %s" if after else f"{table.key} <= %s"


def _drift_of(table: Recorded, connection: BaseDatabaseWrapper, after: list[Any]) -> str:
    """Return the WITH clause of `drift (pk, kind, newest)`: the keys of one page that differ.

    `kind` is the type of the missing history row, `newest` the id of the newest history row. The clause takes the
    parameters `[*after, *last] * 2`.
    """
    page = _between(table, after)
    return f"""
        WITH last AS (
            SELECT {table.key} AS pk, max(history_id) AS newest FROM {table.history} WHERE {page} GROUP BY {table.key}
        ), keys AS (
            SELECT {table.key} AS pk FROM {table.live} WHERE {page} UNION SELECT pk FROM last
        ), pairs AS (
            SELECT keys.pk, newest, t.{table.key} IS NOT NULL AS is_live, h.history_type <> '-' AS is_known,
                {dialect_of(connection).differ(table, "t", "h")} AS differs
            FROM keys
            LEFT JOIN last ON last.pk = keys.pk
            LEFT JOIN {table.history} h ON h.history_id = newest
            LEFT JOIN {table.live} t ON t.{table.key} = keys.pk
        ), drift AS (
            SELECT pk, newest, CASE WHEN NOT is_live THEN '-' WHEN is_known THEN '~' ELSE '+' END AS kind
            FROM pairs WHERE is_live AND (is_known IS NOT TRUE OR differs) OR is_known AND NOT is_live
        )
    """


def record_history(*labels: str) -> RunPython:
    """Return an operation that records what the migration changed before it in models such as `"palettes.Team"`."""

    def forward(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        for label in labels:
            app, name = label.split(".")
            history = apps.get_model(app, f"Historical{name}")
            table = recorded(apps.get_model(app, name), schema_editor.connection, history=history)
            for _ in pages(table, schema_editor.connection, record=True):
                pass

    return RunPython(forward, RunPython.noop)
