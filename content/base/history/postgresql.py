"""History on PostgreSQL: statement-level triggers, which see all rows that a statement wrote.

- One `INSERT … SELECT` per statement, so that many rows cost little more than one. Its FULL JOIN shows a changed key
  as a delete and an insert; and a FULL JOIN never runs row by row, even on a plan that was cached for few rows.
- `*<>` compares the stored bytes (https://www.postgresql.org/docs/current/functions-comparisons.html): a collation that
  treats two texts as equal hides no change, and types without an equality operator can be compared.
- All names are qualified with their schema: a restore runs triggers with an empty `search_path`.
- TRUNCATE fires no DELETE trigger, so it has a trigger of its own.

The cause is a JSON object in the setting `backoffice.cause`. It is sent in the same message as the write and is valid
until the end of the transaction or savepoint.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg2 import sql
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, adapt, cursor

from content.base.history.cause import change, changes_of_rows, may_write_content
from content.base.history.tables import CHANGE, Recorded, Trigger, trigger_name

SETTING = "backoffice.cause"
LONGEST_NAME = 63  # bytes; PostgreSQL truncates longer names
NOW = "clock_timestamp()"
SCHEMA = "SELECT quote_ident(current_schema())"  # where a connection creates tables
DROP = 'DROP FUNCTION "{name}"() CASCADE'
INSTALLED = """
    SELECT t.tgname, CASE WHEN t.tgenabled IN ('O', 'A') THEN p.prosrc ELSE 'disabled' END
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgname ~ '^history_' AND NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace
"""
FIRES = {
    "insert": "AFTER INSERT ON {table} REFERENCING NEW TABLE AS n FOR EACH STATEMENT",
    "update": "AFTER UPDATE ON {table} REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT",
    "delete": "AFTER DELETE ON {table} REFERENCING OLD TABLE AS o FOR EACH STATEMENT",
    "truncate": "BEFORE TRUNCATE ON {table} FOR EACH STATEMENT",
    "same": "BEFORE UPDATE ON {table} FOR EACH ROW",
}


# --- the triggers ----------------------------------------------------------------------------------------------------
def triggers(table: Recorded, schema: str) -> Iterator[Trigger]:
    """Yield the triggers of a table; their functions are in `schema`, which is quoted."""
    bodies = {
        "insert": _record(table, "'+'", "n", "n.{}".format),
        "update": _record_update(table),
        "delete": _record(table, "'-'", "o", "o.{}".format),
        "truncate": _record(table, "'-'", f"{table.live} AS o", "o.{}".format),
    }
    if table.automatic:
        kept = " ".join(f"NEW.{name} := OLD.{name};" for name in table.automatic)
        bodies["same"] = f"BEGIN IF NOT ({differ(table, 'OLD', 'NEW')}) THEN {kept} END IF; RETURN NEW; END"
    for event, body in bodies.items():
        name = trigger_name(event, table, LONGEST_NAME)
        fires, function = FIRES[event].format(table=table.live), f'{schema}."{name}"()'
        definition = f"\n-- {fires}\n{body}\n"
        yield Trigger(
            name=name,
            definition=definition,
            create=(
                f"CREATE OR REPLACE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS $body${definition}$body$",
                f'CREATE TRIGGER "{name}" {fires} EXECUTE FUNCTION {function}',
            ),
        )


def _record_update(table: Recorded) -> str:
    """Return the body of the UPDATE trigger's function.

    It records rows that differ. A changed key is recorded as a delete of the old row, then an insert of the new one.
    """
    kind = f"CASE WHEN o.{table.key} IS NULL THEN '+' WHEN n.{table.key} IS NULL THEN '-' ELSE '~' END"
    source = f"o FULL JOIN n ON o.{table.key} = n.{table.key} WHERE {differ(table, 'o', 'n')}"
    newest = f"CASE WHEN n.{table.key} IS NULL THEN o.{{0}} ELSE n.{{0}} END"
    return _record(table, kind, source, newest.format, order=f"n.{table.key} IS NOT NULL, ")


def _record(table: Recorded, kind: str, source: str, value: Callable[[str], str], order: str = "") -> str:
    """Return the body of a function that writes a history row for each row of `source`.

    Args:
        kind: an SQL expression of the history row's type: '+', '~' or '-'.
        source: the FROM clause.
        value: takes a column, gives the SQL expression of its value.
        order: what to sort by before the key, with a comma after it.
    """
    key = value(table.key)
    name = table.name.replace("'", "''")
    return f"""
        #variable_conflict use_variable
        DECLARE
            cause jsonb := nullif(current_setting('{SETTING}', true), '')::jsonb;
            of_rows jsonb := cause -> 'rows' -> '{name}';
            written_at timestamptz := {NOW};
        BEGIN
            INSERT INTO {table.history} ({", ".join((*table.columns, *CHANGE))})
            SELECT
                {", ".join(value(column) for column in table.columns)},
                written_at,
                {kind},
                (cause ->> 'user')::bigint,
                coalesce(cause ->> 'user_name', ''),
                coalesce(of_rows -> ({key})::text ->> 'reason', cause ->> 'reason'),
                coalesce(cause ->> 'request_id', ''),
                coalesce(cause ->> 'origin', ''),
                coalesce(of_rows -> ({key})::text ->> 'origin_user', cause ->> 'origin_user', '')
            FROM {source}
            ORDER BY {order}{key};
            RETURN NULL;
        END
    """


def differ(table: Recorded, one: str, other: str) -> str:
    """Return the SQL condition that two rows, named `one` and `other`, differ in a counted column.

    Without the cast to `record` PostgreSQL would compare column by column.
    """
    rows = (f"ROW({', '.join(f'{name}.{column}' for column in table.counted)})::record" for name in (one, other))
    return " *<> ".join(rows)


# --- the cause -------------------------------------------------------------------------------------------------------
class Cursor(cursor):
    """psycopg2's cursor; it sends the cause along with each statement that may write content."""

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
        super().execute(self._with_cause(query, has_values=vars is not None), vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        super().executemany(self._with_cause(query, has_values=True), vars_list)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        with self._caused():
            super().copy_expert(sql, file, size)

    def copy_from(self, file: Any, table: str, *args: Any, **options: Any) -> None:
        with self._caused():
            super().copy_from(file, table, *args, **options)

    def _with_cause(self, query: Any, *, has_values: bool) -> str:
        text: str = query.as_string(self) if isinstance(query, sql.Composable) else query
        text = text.decode() if isinstance(text, bytes) else text
        if self.name is not None or not may_write_content(text):  # a named cursor is DECLAREd FOR a query
            return text
        statement = self._cause_statement()
        return f"{statement.replace('%', '%%') if has_values else statement}{text}"

    def _cause_statement(self) -> str:
        """Return the statement that sets the cause; empty if there is no cause and no transaction that had one."""
        values: dict[str, object] = {**change()}
        if rows := changes_of_rows():
            values["rows"] = rows
        if not values and self.connection.info.transaction_status == TRANSACTION_STATUS_IDLE:
            return ""
        literal = adapt(json.dumps(values))  # an empty object replaces the cause of an earlier statement
        literal.prepare(self.connection)
        return f"SELECT set_config('{SETTING}', {literal.getquoted().decode()}, true); "

    @contextmanager
    def _caused(self) -> Iterator[None]:
        """Set the cause of a COPY: it can't share a message with another statement, so a transaction holds both."""
        statement = self._cause_statement()
        begins = self.connection.info.transaction_status == TRANSACTION_STATUS_IDLE and self.connection.autocommit
        if statement:
            super().execute(f"BEGIN; {statement}" if begins else statement)
        try:
            yield
        except BaseException:
            if statement and begins:
                super().execute("ROLLBACK")
            raise
        if statement and begins:
            super().execute("COMMIT")


def hand_over(connection: BaseDatabaseWrapper) -> None:
    """Make a new connection send the cause of each write."""
    connection.connection.cursor_factory = Cursor
