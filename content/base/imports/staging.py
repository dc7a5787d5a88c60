"""The rows of an import in a temporary table, from which the database judges and writes them all at once.

A temporary table belongs to its connection and lies apart from the content: to fill it waits for no other writer and
makes none wait, also on SQLite, and memory does not grow with the rows.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models.sql import Query

from backoffice.kit.batches import batched
from backoffice.kit.history import history_of

NAME, FOUND = "import_rows", "import_found"
OWN = ("import_row", "import_kind", "import_moves", "import_wrong")
ROWS = 500  # of one statement
PARAMETERS = 32_766  # of one statement in SQLite
NEW, CHANGED, UNCHANGED, CONFLICT = "+", "~", "=", "!"
WRITTEN = f"import_kind IN ('{NEW}', '{CHANGED}') AND NOT import_wrong"  # the rows that are written
Sql = tuple[str, tuple[Any, ...]]  # a piece of a statement, and its parameters


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def session() -> AbstractContextManager[object]:
    """Return what keeps the session of a temporary table: behind a pool, a transaction does."""
    return transaction.atomic() if settings.DATABASE_POOLED else nullcontext()


def _type(field: Any) -> str:
    collation = field.db_parameters(connection)["collation"] if hasattr(field, "db_collation") else ""
    named = f" COLLATE {connection.ops.quote_name(collation)}" if collation else ""
    return f"{field.cast_db_type(connection)}{named}"


class Stage:
    """The temporary table, and the moment when it `began`. It has the model's columns and, before them:

    - `import_row`: the row's number in the file;
    - `import_kind`: whether the row adds an object, changes one, leaves it as it is, or conflicts with a newer state;
    - `import_moves`: whether the row gives an object values that a unique key may refuse;
    - `import_wrong`: whether the row is known to be wrong.

    A wrong value of a row is NULL. Of an unchanged row, and of one in conflict, only the primary key is kept.

    A second table, `found`, has the rows that break the rule which is being judged, and the values by which.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.fields: list[Any] = list(model._meta.concrete_fields)
        schema = "pg_temp" if is_postgresql() else "temp"  # never a table of this name in the database
        self.name, self.found = f"{schema}.{NAME}", f"{schema}.{FOUND}"
        self.live = connection.ops.quote_name(model._meta.db_table)
        self.key = connection.ops.quote_name(model._meta.pk.column)
        self.columns = [connection.ops.quote_name(field.column) for field in self.fields]

    def __enter__(self) -> "Stage":
        self._drop()
        self.began = self.moment()
        columns = [f"{name} {_type(field)}" for name, field in zip(self.columns, self.fields, strict=True)]
        self.run(
            f"CREATE TEMPORARY TABLE {NAME} (import_row integer PRIMARY KEY, import_kind char(1) NOT NULL, "
            f"import_moves boolean NOT NULL, import_wrong boolean NOT NULL, {', '.join(columns)})"
        )
        self.run(f"CREATE TEMPORARY TABLE {FOUND} (number integer NOT NULL, value text)")
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Error):  # of a connection that is lost, and its temporary tables with it
            self._drop()

    def _drop(self) -> None:
        for name in (self.name, self.found):
            self.run(f"DROP TABLE IF EXISTS {name}")

    # --- filling -----------------------------------------------------------------------------------------------------
    def values(self, obj: Any, kind: str, wrong: Collection[str] = ()) -> list[Any]:
        """Return what the database would store of the object; NULL for the `wrong` fields."""
        return [
            None if field.name in wrong else field.get_db_prep_save(field.pre_save(obj, kind == NEW), connection)
            for field in self.fields
        ]

    def key_alone(self, key: Any) -> list[Any]:
        return [field.get_db_prep_save(key, connection) if field.primary_key else None for field in self.fields]

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows: the values of OWN, then those of `values` or `key_alone`."""
        row = f"({', '.join(['%s'] * (len(OWN) + len(self.fields)))})"
        for batch in batched(rows, min(ROWS, PARAMETERS // (len(OWN) + len(self.fields)))):
            self.run(
                f"INSERT INTO {self.name} VALUES {', '.join([row] * len(batch))}",
                [value for values in batch for value in values],
            )

    def refuse(self, numbers: Iterable[int]) -> None:
        for batch in batched(numbers, ROWS):
            marks = ", ".join(["%s"] * len(batch))
            self.run(f"UPDATE {self.name} SET import_wrong = TRUE WHERE import_row IN ({marks})", batch)

    def complete(self) -> None:
        """Prepare the table for being read, once all rows are there."""
        if is_postgresql():
            self.run(f"CREATE INDEX ON {self.name} ({self.key})")
            self.run(f"ANALYZE {self.name}")
        else:
            self.run(f"CREATE INDEX temp.{NAME}_key ON {NAME} ({self.key})")

    def find(self, sql: str, params: Iterable[Any]) -> Iterator[tuple[int, str | None]]:
        """Mark the rows that a query returns, `(number, value)`, as wrong, and yield them in their order."""
        self.run(f"DELETE FROM {self.found}")
        self.run(f"INSERT INTO {self.found} SELECT f.number, CAST(f.value AS text) FROM ({sql}) f", params)
        wrong = f"SELECT f.number FROM {self.found} f"
        last = 0
        while page := self.rows(
            f"SELECT f.number, f.value FROM {self.found} f WHERE f.number > %s ORDER BY 1 LIMIT {ROWS}", [last]
        ):
            if not last:
                self.run(f"UPDATE {self.name} SET import_wrong = TRUE WHERE import_row IN ({wrong})")
            yield from page
            last = page[-1][0]

    # --- reading -----------------------------------------------------------------------------------------------------
    def run(self, sql: str, params: Iterable[Any] = ()) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, list(params))

    def rows(self, sql: str, params: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, list(params))
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    def keys(self, condition: str, params: Iterable[Any], size: int) -> Iterator[list[Any]]:
        """Yield the primary keys of the rows that fulfil the condition, in pages and in the file's order."""
        last = 0
        while page := self.rows(
            f"SELECT import_row, {self.key} FROM {self.name} WHERE import_row > %s AND ({condition}) "
            f"ORDER BY import_row LIMIT {size}",
            [last, *params],
        ):
            yield [self.model._meta.pk.to_python(key) for _, key in page]
            last = page[-1][0]

    def pages(self, size: int) -> Iterator[tuple[int, int]]:
        """Yield the first and the last number of each page: `size` rows that write something, in the file's order."""
        writes = f"import_row > %s AND {WRITTEN} ORDER BY import_row LIMIT {size}"
        page = f"SELECT min(import_row), max(import_row) FROM (SELECT import_row FROM {self.name} WHERE {writes}) page"
        first, last = self.rows(page, [0])[0]
        while first is not None:
            yield first, last
            first, last = self.rows(page, [last])[0]

    def counts(self) -> dict[str, int]:
        """Return the number of rows of each kind, and of those that are wrong: `{"+": 3, "wrong": 1}`."""
        kind = f"CASE WHEN import_wrong AND import_kind <> '{CONFLICT}' THEN 'wrong' ELSE import_kind END"
        return dict(self.rows(f"SELECT {kind}, count(*) FROM {self.name} GROUP BY {kind}"))

    def compiled(self, expression: Any) -> Sql:
        """Return the SQL of an expression or condition, with the names of columns as they are here and in the model."""
        query = Query(self.model, alias_cols=False)
        is_condition = getattr(expression, "conditional", False)
        node = query.build_where(expression) if is_condition else expression.resolve_expression(query)
        sql, params = query.get_compiler(connection=connection).compile(node)
        return sql, tuple(params)

    # --- other writers -----------------------------------------------------------------------------------------------
    def moment(self) -> Any:
        """Return this moment, for `is_stale`."""
        if is_postgresql():
            return self.rows("SELECT pg_current_snapshot()::text")[0][0]
        return self.rows(f"SELECT coalesce(max(history_id), 0) FROM {self._history()}")[0][0]

    def lock(self) -> None:
        """Lock the objects that the rows change, in the order of their keys. SQLite's transaction has locked all."""
        if is_postgresql():
            self.run(
                f"SELECT count(*) FROM (SELECT 1 FROM {self.live} t JOIN {self.name} s ON s.{self.key} = t.{self.key} "
                f"WHERE s.import_kind = '{CHANGED}' ORDER BY t.{self.key} FOR NO KEY UPDATE OF t) locked"
            )

    def is_stale(self, moment: Any) -> bool:
        """Return whether somebody wrote one of the objects since the moment: each write leaves history (ADR 15)."""
        condition, params = "h.history_id > %s", [moment]
        if is_postgresql():
            _, end, running = moment.split(":")
            condition = (
                "h.txid > 0 AND (h.txid >= %s OR h.txid = ANY(%s)) "
                "AND h.txid IS DISTINCT FROM pg_current_xact_id_if_assigned()::text::bigint"
            )
            params = [int(end), [int(xid) for xid in running.split(",") if xid]]
        found = f"SELECT 1 FROM {self._history()} h JOIN {self.name} s ON s.{self.key} = h.{self.key} WHERE {condition}"
        return bool(self.rows(f"{found} LIMIT 1", params))

    def _history(self) -> str:
        return connection.ops.quote_name(history_of(self.model)._meta.db_table)
