"""History on SQLite: triggers of single rows.

- `INSERT OR REPLACE` fires no trigger for the row that it replaces, so an insert looks whether history knows the key.
- What is set at each save is put back where nothing else changed; the trigger does not fire itself again
  (https://www.sqlite.org/pragma.html#pragma_recursive_triggers).

The cause is in a small table, written and emptied again around each statement, in its transaction: no other program
sees it. (A function of the connection would do as well, but the triggers would then fail in every other program.)
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from content.base.history.cause import change, changes_of_rows, may_write_content
from content.base.history.tables import CHANGE, Recorded, Trigger, trigger_name

CAUSE = "history_cause"  # `key` is empty, or `table:key` of a row that has a cause of its own
COLUMNS = ("user", "user_name", "reason", "request_id", "origin", "origin_user")
MAKE_CAUSE = f"CREATE TABLE IF NOT EXISTS {CAUSE} (key TEXT PRIMARY KEY, {', '.join(COLUMNS)}) WITHOUT ROWID"
LONGEST_NAME = 200  # characters; there is no limit
NOW = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"  # as Django writes times; SQLite's clock has milliseconds
SCHEMA = "SELECT ''"  # triggers name none
DROP = 'DROP TRIGGER "{name}"'
INSTALLED = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'history\\_%' ESCAPE '\\'"


# --- the triggers ----------------------------------------------------------------------------------------------------


def triggers(of: Recorded, _schema: str) -> Iterator[Trigger]:
    """The triggers of a table."""
    is_new = (
        f"CASE WHEN (SELECT history_type FROM {of.history} WHERE {of.key} = NEW.{of.key} "
        f"ORDER BY history_id DESC LIMIT 1) IN ('+', '~') THEN '~' ELSE '+' END"
    )
    began, ended = _record(of, "'+'", "NEW"), _record(of, "'-'", "OLD")
    is_same_key = f"OLD.{of.key} IS NEW.{of.key}"
    is_changed = differ(of, "OLD", "NEW")
    found = {
        "insert": ("AFTER INSERT", "", _record(of, is_new, "NEW")),
        "update": ("AFTER UPDATE", f"WHEN {is_same_key} AND ({is_changed})", _record(of, "'~'", "NEW")),
        "rekey": ("AFTER UPDATE", f"WHEN NOT ({is_same_key})", f"{ended} {began}"),
        "delete": ("AFTER DELETE", "", ended),
    }
    if of.automatic:
        is_touched = _differ(of.automatic, "OLD", "NEW")
        kept = ", ".join(f"{name} = OLD.{name}" for name in of.automatic)
        found["same"] = (
            "AFTER UPDATE",
            f"WHEN NOT ({is_changed}) AND ({is_touched})",
            f"UPDATE {of.live} SET {kept} WHERE {of.key} = NEW.{of.key};",
        )
    for event, (when, condition, body) in found.items():
        name = trigger_name(event, of, LONGEST_NAME)
        statement = f'CREATE TRIGGER "{name}" {when} ON {of.live} FOR EACH ROW {condition} BEGIN {body} END'
        yield Trigger(name=name, definition=statement, create=(MAKE_CAUSE, statement))


def _record(of: Recorded, kind: str, row: str) -> str:
    """The statement that writes the history row of `row`, which is OLD or NEW."""
    mine = f"'{of.name}:' || {row}.{of.key}"
    values = (
        *(f"{row}.{column}" for column in of.columns),
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
        f"INSERT INTO {of.history} ({', '.join((*of.columns, *CHANGE))}) SELECT {', '.join(values)} "
        f"FROM (SELECT 1) LEFT JOIN {CAUSE} c ON c.key = coalesce((SELECT key FROM {CAUSE} WHERE key = {mine}), '');"
    )


def differ(of: Recorded, one: str, other: str) -> str:
    """Whether two rows differ in what counts."""
    return _differ(of.counted, one, other)


def _differ(columns: tuple[str, ...], one: str, other: str) -> str:
    """Byte for byte: a collation may take two texts for equal."""
    return " OR ".join(f"{one}.{name} IS NOT {other}.{name} COLLATE BINARY" for name in columns)


# --- the cause -------------------------------------------------------------------------------------------------------


def hand_over(connection: BaseDatabaseWrapper) -> None:
    """Have a connection tell the causes."""
    if tell not in connection.execute_wrappers:
        connection.execute_wrappers.append(tell)


def tell(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: FBT001 - Django's signature
    """Run a statement; what it writes to content has the cause in its history."""
    causes = _causes() if may_write_content(sql) else []
    if not causes:
        return execute(sql, params, many, context)
    connection = context["connection"]
    is_alone = not connection.in_atomic_block and connection.get_autocommit()
    with transaction.atomic(connection.alias) if is_alone else nullcontext():
        raw = connection.connection
        raw.executemany(f"INSERT INTO {CAUSE} VALUES (?{', ?' * len(COLUMNS)})", causes)
        try:
            result = execute(sql, params, many, context)
            if is_alone and context["cursor"].description:  # SQLite can't commit before the rows of RETURNING are read
                context["cursor"].cursor = Fetched(context["cursor"].cursor)
        finally:
            raw.execute(f"DELETE FROM {CAUSE}")
    return result


def _causes() -> list[tuple[str | None, ...]]:
    """The rows of the table of causes."""
    known = change()
    causes = [("", known)] if known else []
    for table, rows in changes_of_rows().items():
        causes += [(f"{table}:{key}", {**known, **said}) for key, said in rows.items()]
    return [(key, *(said.get(name) for name in COLUMNS)) for key, said in causes]


class Fetched:
    """A cursor whose rows were all read."""

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
