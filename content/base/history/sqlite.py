"""History on SQLite: row-level triggers.

- `INSERT OR REPLACE` fires no trigger for the row that it replaces, so the insert trigger looks up whether history
  knows the key.
- Columns that Django sets at each save are reset where nothing else changed; the trigger does not fire itself again
  (https://www.sqlite.org/pragma.html#pragma_recursive_triggers).

The cause is in a small table, filled before each statement and emptied after it, in the same transaction: no other
program sees it. (A function of the connection would do as well, but then the triggers would fail in other programs.)
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from content.base.history.cause import change, changes_of_rows, may_write_content
from content.base.history.tables import CHANGE, Recorded, Trigger, trigger_name

CAUSE = "history_cause"  # `key` is empty, or `table:key` for a row with a cause of its own
COLUMNS = ("user", "user_name", "reason", "request_id", "origin", "origin_user")
MAKE_CAUSE = f"CREATE TABLE IF NOT EXISTS {CAUSE} (key TEXT PRIMARY KEY, {', '.join(COLUMNS)}) WITHOUT ROWID"
LONGEST_NAME = 200  # characters; there is no limit
NOW = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"  # as Django writes times; SQLite's clock has milliseconds
SCHEMA = "SELECT ''"  # SQLite's triggers name no schema
DROP = 'DROP TRIGGER "{name}"'
INSTALLED = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'history\\_%' ESCAPE '\\'"


# --- the triggers ----------------------------------------------------------------------------------------------------
def triggers(table: Recorded, _schema: str) -> Iterator[Trigger]:
    """Yield the triggers of a table. SQLite has no schemas, so `_schema` is not used."""
    is_new = (
        f"CASE WHEN (SELECT history_type FROM {table.history} WHERE {table.key} = NEW.{table.key} "
        f"ORDER BY history_id DESC LIMIT 1) IN ('+', '~') THEN '~' ELSE '+' END"
    )
    began, ended = _record(table, "'+'", "NEW"), _record(table, "'-'", "OLD")
    is_same_key = f"OLD.{table.key} IS NEW.{table.key}"
    is_changed = differ(table, "OLD", "NEW")
    parts = {
        "insert": ("AFTER INSERT", "", _record(table, is_new, "NEW")),
        "update": ("AFTER UPDATE", f"WHEN {is_same_key} AND ({is_changed})", _record(table, "'~'", "NEW")),
        "rekey": ("AFTER UPDATE", f"WHEN NOT ({is_same_key})", f"{ended} {began}"),
        "delete": ("AFTER DELETE", "", ended),
    }
    if table.automatic:
        is_touched = _differ(table.automatic, "OLD", "NEW")
        kept = ", ".join(f"{name} = OLD.{name}" for name in table.automatic)
        parts["same"] = (
            "AFTER UPDATE",
            f"WHEN NOT ({is_changed}) AND ({is_touched})",
            f"UPDATE {table.live} SET {kept} WHERE {table.key} = NEW.{table.key};",
        )
    for event, (when, condition, body) in parts.items():
        name = trigger_name(event, table, LONGEST_NAME)
        statement = f'CREATE TRIGGER "{name}" {when} ON {table.live} FOR EACH ROW {condition} BEGIN {body} END'
        yield Trigger(name=name, definition=statement, create=(MAKE_CAUSE, statement))


def _record(table: Recorded, kind: str, row: str) -> str:
    """Return the statement that writes a history row of `row`, OLD or NEW; `kind` is an SQL expression of its type."""
    cause_key = f"'{table.name}:' || {row}.{table.key}"
    values = (
        *(f"{row}.{column}" for column in table.columns),
        NOW,
        kind,
        "c.user",
        "coalesce(c.user_name, '')",
        "c.reason",
        "coalesce(c.request_id, '')",
        "coalesce(c.origin, '')",
        "coalesce(c.origin_user, '')",
    )
    return (
        f"INSERT INTO {table.history} ({', '.join((*table.columns, *CHANGE))}) SELECT {', '.join(values)} "
        f"FROM (SELECT 1) LEFT JOIN {CAUSE} c "
        f"ON c.key = coalesce((SELECT key FROM {CAUSE} WHERE key = {cause_key}), '');"
    )


def differ(table: Recorded, one: str, other: str) -> str:
    """Return the SQL condition that two rows, named `one` and `other`, differ in a counted column."""
    return _differ(table.counted, one, other)


def _differ(columns: tuple[str, ...], one: str, other: str) -> str:
    """Compare byte for byte: a collation may treat two texts as equal."""
    return " OR ".join(f"{one}.{name} IS NOT {other}.{name} COLLATE BINARY" for name in columns)


# --- the cause -------------------------------------------------------------------------------------------------------
def hand_over(connection: BaseDatabaseWrapper) -> None:
    """Make a connection write the cause of each write."""
    if execute_with_cause not in connection.execute_wrappers:
        connection.execute_wrappers.append(execute_with_cause)


def execute_with_cause(
    execute: Callable[..., Any],
    sql: str,
    params: object,
    many: bool,  # noqa: FBT001 - Django's signature
    context: dict[str, Any],
) -> Any:
    """Run a statement, with the cause in place for its triggers. Django's `execute_wrapper`."""
    causes = _cause_rows() if may_write_content(sql) else []
    if not causes:
        return execute(sql, params, many, context)
    connection = context["connection"]
    is_alone = not connection.in_atomic_block and connection.get_autocommit()
    with transaction.atomic(connection.alias) if is_alone else nullcontext():
        raw = connection.connection
        raw.executemany(f"INSERT INTO {CAUSE} VALUES (?{', ?' * len(COLUMNS)})", causes)
        try:
            result = execute(sql, params, many, context)
            if is_alone and context["cursor"].description:  # SQLite can't commit before all rows of RETURNING are read
                context["cursor"].cursor = Fetched(context["cursor"].cursor)
        finally:
            raw.execute(f"DELETE FROM {CAUSE}")
    return result


def _cause_rows() -> list[tuple[str | None, ...]]:
    """Return the rows of the table of causes: `(key, *COLUMNS)`."""
    shared = change()
    causes = [("", shared)] if shared else []
    for table, rows in changes_of_rows().items():
        causes += [(f"{table}:{key}", {**shared, **values}) for key, values in rows.items()]
    return [(key, *(values.get(name) for name in COLUMNS)) for key, values in causes]


class Fetched:
    """A cursor with all of its rows already fetched."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._rows: Iterator[Any] = iter(cursor.fetchall())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def __iter__(self) -> Iterator[Any]:
        return self._rows

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchmany(self, size: int = 1) -> list[Any]:
        return list(islice(self._rows, size))

    def fetchall(self) -> list[Any]:
        return list(self._rows)
