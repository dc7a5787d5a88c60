"""Statements that Django makes once: for a small read, building its SQL costs several times what the database does.

found = Statement(Post.objects.filter(pk=Slot("key", Post._meta.pk)).values_list("title", "body"))
found.run({"key": 5})
"""

from collections.abc import Mapping
from hashlib import sha256
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.models import Expression, Field, QuerySet
from psycopg2.extensions import AsIs

from backoffice.kit.database import sqlstate

PREPARED_READ = "backoffice_read_"  # begins the names of prepared statements, none of which writes
# Behind a pooler, connections share sessions: one may know a statement already, or not know it any more.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
KNOWN, UNKNOWN, ALTERED = "42P05", "26000", "0A000"  # the last: the columns of the statement were altered


class Slot(Expression):
    """The place of a value that each run gives; `field` is the column that it is compared with."""

    def __init__(self, name: str, field: "Field[Any, Any]") -> None:
        super().__init__(output_field=getattr(field, "target_field", field))
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]

    def prepared(self, value: Any, connection: Any) -> Any:
        """Return `value` as the database's driver takes it.

        Raises:
            OverflowError: the column can't hold this number.
        """
        if isinstance(value, int):
            low, high = connection.ops.integer_field_range(self.output_field.get_internal_type())
            if not low <= value <= high:
                raise OverflowError(f"{self.name}: {value}")
        return self.output_field.get_db_prep_value(value, connection)


class Statement:
    """A query that differs from run to run only in the values of its slots.

    Args:
        rows: a `.values_list(…)` queryset; its conditions on what varies are slots.
        prepare: whether PostgreSQL is to keep the plan in each connection: worth it where planning takes longer than
            running, as of many joins that find few rows.
    """

    def __init__(self, rows: QuerySet[Any, Any], *, prepare: bool = False) -> None:
        self._rows = rows
        connection = connections[self.database]
        compiler: Any = rows.query.get_compiler(connection=connection)
        self.sql, self.parameters = compiler.as_sql()
        self._converters = compiler.get_converters([column for column, _, _ in compiler.select]).items()
        self._prepare = prepare and connection.vendor == "postgresql" and not settings.DATABASE_POOLED
        # By its text: behind a pool that the settings do not name, another program may mean another statement.
        text = repr((self.sql, [item for item in self.parameters if not isinstance(item, Slot)]))
        self._name = f"{PREPARED_READ}{sha256(text.encode()).hexdigest()[:16]}"
        self._prepared: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()  # connections that know the statement

    @property
    def database(self) -> str:
        """The name of the database that the statement runs on now; see `backoffice.kit.read_replica`."""
        return self._rows.db

    def run(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the rows with these values of the slots, `{"key": 5}`, as sequences of Python values."""
        connection = connections[self.database]
        parameters = [
            item.prepared(values[item.name], connection) if isinstance(item, Slot) else item for item in self.parameters
        ]
        with connection.cursor() as cursor:
            # An error would end the transaction, so nothing is tried in one.
            if not self._prepare or connection.in_atomic_block or not self._execute_prepared(cursor, parameters):
                cursor.execute(self.sql, parameters)
            rows: list[Any] = cursor.fetchall()
        if not self._converters:
            return rows
        rows = [list(row) for row in rows]
        for position, (converters, expression) in self._converters:
            for row in rows:
                for convert in converters:
                    row[position] = convert(row[position], expression, connection)
        return rows

    def _execute_prepared(self, cursor: Any, parameters: list[Any]) -> bool:
        """Run the prepared statement; return whether the connection had it."""
        session = cursor.connection
        try:
            if session not in self._prepared:
                numbers = count(1)
                places = [AsIs(f"${next(numbers)}") if isinstance(item, Slot) else item for item in self.parameters]
                cursor.execute(f"PREPARE {self._name} AS {self.sql}", places)
                self._prepared[session] = True
            values = [value for value, item in zip(parameters, self.parameters, strict=True) if isinstance(item, Slot)]
            cursor.execute(f"EXECUTE {self._name} ({', '.join(['%s'] * len(values))})", values)
        except DatabaseError as error:
            state = sqlstate(error)
            if state not in (KNOWN, UNKNOWN, ALTERED):
                raise
            if state == KNOWN:
                self._prepared[session] = True
            elif state == UNKNOWN:
                self._prepared.pop(session, None)
            return False
        return True
