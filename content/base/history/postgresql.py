"""History on PostgreSQL: triggers of whole statements, which see all rows that a statement wrote.

- One `INSERT … SELECT` a statement, so that many rows cost little more than one. Its FULL JOIN also sees a key that
  changed, as an end and a beginning; and it is never carried out row by row, whatever plan was cached for few rows.
- `*<>` compares what is stored (https://www.postgresql.org/docs/current/functions-comparisons.html): a collation that
  takes two texts for equal hides no change, and types without equality can be compared.
- All names say their schema: a restore runs triggers with an empty `search_path`.
- TRUNCATE fires no trigger of deletes, so it has its own.

The cause is one JSON in the setting `backoffice.cause`, sent in the same message as the write, and valid until the
transaction, or the savepoint, ends.
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
LONGEST_NAME = 63  # bytes; longer names are cut
NOW = "clock_timestamp()"
SCHEMA = "SELECT quote_ident(current_schema())"  # in which a connection makes tables
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


def triggers(of: Recorded, schema: str) -> Iterator[Trigger]:
    """The triggers of a table."""
    bodies = {
        "insert": _record(of, "'+'", "n", "n.{}".format),
        "update": _record_update(of),
        "delete": _record(of, "'-'", "o", "o.{}".format),
        "truncate": _record(of, "'-'", f"{of.live} AS o", "o.{}".format),
    }
    if of.automatic:
        kept = " ".join(f"NEW.{name} := OLD.{name};" for name in of.automatic)
        bodies["same"] = f"BEGIN IF NOT ({differ(of, 'OLD', 'NEW')}) THEN {kept} END IF; RETURN NEW; END"
    for event, body in bodies.items():
        name = trigger_name(event, of, LONGEST_NAME)
        fires, function = FIRES[event].format(table=of.live), f'{schema}."{name}"()'
        definition = f"\n-- {fires}\n{body}\n"
        yield Trigger(
            name=name,
            definition=definition,
            create=(
                f"CREATE OR REPLACE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS $body${definition}$body$",
                f'CREATE TRIGGER "{name}" {fires} EXECUTE FUNCTION {function}',
            ),
        )


def _record_update(of: Recorded) -> str:
    """Rows that differ; where the key changed, the old row ended, and then the new one began."""
    kind = f"CASE WHEN o.{of.key} IS NULL THEN '+' WHEN n.{of.key} IS NULL THEN '-' ELSE '~' END"
    source = f"o FULL JOIN n ON o.{of.key} = n.{of.key} WHERE {differ(of, 'o', 'n')}"
    newest = f"CASE WHEN n.{of.key} IS NULL THEN o.{{0}} ELSE n.{{0}} END"
    return _record(of, kind, source, newest.format, order=f"n.{of.key} IS NOT NULL, ")


def _record(of: Recorded, kind: str, source: str, value: Callable[[str], str], order: str = "") -> str:
    """The body of a function that writes a history row for each row of `source`, in the order of keys after `order`."""
    key = value(of.key)
    table = of.name.replace("'", "''")
    return f"""
        #variable_conflict use_variable
        DECLARE
            cause jsonb := nullif(current_setting('{SETTING}', true), '')::jsonb;
            of_rows jsonb := cause -> 'rows' -> '{table}';
            written_at timestamptz := {NOW};
        BEGIN
            INSERT INTO {of.history} ({", ".join((*of.columns, *CHANGE))})
            SELECT
                {", ".join(value(column) for column in of.columns)},
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


def differ(of: Recorded, one: str, other: str) -> str:
    """Whether two rows differ in what counts. Without the cast PostgreSQL would compare column by column."""
    rows = (f"ROW({', '.join(f'{name}.{column}' for column in of.counted)})::record" for name in (one, other))
    return " *<> ".join(rows)


# --- the cause -------------------------------------------------------------------------------------------------------


class Cursor(cursor):
    """psycopg2's cursor, which tells the database the cause of each statement that may write content."""

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
        if self.name is not None or not may_write_content(text):  # a cursor with a name is DECLAREd FOR a query
            return text
        told = self._telling()
        return f"{told.replace('%', '%%') if has_values else told}{text}"

    def _telling(self) -> str:
        """The statement that hands over the cause; empty: there is none, nor was there in this transaction."""
        told: dict[str, Any] = {**change()}
        if rows := changes_of_rows():
            told["rows"] = rows
        if not told and self.connection.info.transaction_status == TRANSACTION_STATUS_IDLE:
            return ""
        literal = adapt(json.dumps(told))  # an empty one replaces that of a statement before
        literal.prepare(self.connection)
        return f"SELECT set_config('{SETTING}', {literal.getquoted().decode()}, true); "

    @contextmanager
    def _caused(self) -> Iterator[None]:
        """COPY takes no statement before it in its message, so it needs a transaction around both."""
        told = self._telling()
        begins = self.connection.info.transaction_status == TRANSACTION_STATUS_IDLE and self.connection.autocommit
        if told:
            super().execute(f"BEGIN; {told}" if begins else told)
        try:
            yield
        except BaseException:
            if told and begins:
                super().execute("ROLLBACK")
            raise
        if told and begins:
            super().execute("COMMIT")


def hand_over(connection: BaseDatabaseWrapper) -> None:
    """Have a connection that was just made tell the causes."""
    connection.connection.cursor_factory = Cursor
