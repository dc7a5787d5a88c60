"""Writes or inserts many rows in one statement, each with values of its own.

Django's `bulk_update` makes a CASE for each column and row, and guards nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from django.db import connection, models

from backoffice.kit.batches import batched
from backoffice.kit.phrase_field import PhraseField

ROWS = 500  # of one statement; with them SQLite's 32,766 parameters do for 65 columns
# Whose values a driver does not take as they are.
PREPARED = (models.DateTimeField, models.JSONField, models.UUIDField, PhraseField)
Row = Mapping[str, Any]  # {"column": value}


def update_rows(model: type[models.Model], rows: Iterable[Row], *, match: Sequence[str], order: str = "") -> set[Any]:
    """Write the columns of the rows that still match; return the primary keys of those that were written.

    To be called in a transaction. Rows that write the same columns share a statement.

    Args:
        rows: each with the columns of `match` and those to write, by their names in the database.
        match: the columns that must still have these values, the primary key first.
        order: the column in whose order PostgreSQL locks the rows, as every other writer of several rows does, so that
            no two of them deadlock; empty: the transaction has locked them already.
    """
    written: set[Any] = set()
    for _, alike in groupby(sorted(rows, key=sorted), key=sorted):
        for batch in batched(alike, ROWS):
            written |= _update(model, batch, match, order)
    return written


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of values in the order of `columns`; columns that are not named get their database's default.

    `bulk_create` makes a model of each row first, and prepares each value by five calls.
    """
    fields = {field.column: field for field in model._meta.concrete_fields}
    special = [index for index, name in enumerate(columns) if isinstance(fields[name], PREPARED)]
    names = ", ".join(map(connection.ops.quote_name, columns))
    row_of = f"({', '.join(['%s'] * len(columns))})"
    for batch in batched(rows, ROWS):
        values: list[Any] = []
        for row in batch:
            prepared = list(row)
            for index in special:
                prepared[index] = fields[columns[index]].get_db_prep_save(row[index], connection)
            values += prepared
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({names}) "
                f"VALUES {', '.join([row_of] * len(batch))}",
                values,
            )


def _update(model: type[models.Model], rows: Sequence[Row], match: Sequence[str], order: str) -> set[Any]:
    fields = {field.column: field for field in model._meta.concrete_fields}
    quote, first = connection.ops.quote_name, rows[0]
    changed = [name for name in first if name not in match]
    shared = [name for name in changed if all(row[name] == first[name] for row in rows)]
    own = [*match, *(name for name in changed if name not in shared)]
    values = [[fields[name].get_db_prep_save(row[name], connection) for name in own] for row in rows]
    table, pk = quote(model._meta.db_table), quote(match[0])
    still = " AND ".join(f"t.{quote(name)} = v.{quote(name)}" for name in match)
    locks = order and connection.vendor == "postgresql"
    lock = f'ORDER BY t.{quote(order)} COLLATE "C" FOR NO KEY UPDATE OF t' if locks else ""
    sets = [
        f"{quote(name)} = {'%s' if name in shared else _typed(fields[name], f'n.{quote(name)}')}" for name in changed
    ]
    row = f"({', '.join(['%s'] * len(own))})"
    sql = (  # names come from the model; every value is a parameter
        f"WITH v ({', '.join(map(quote, own))}) AS (VALUES {', '.join([row] * len(rows))}), "
        f"n AS (SELECT v.* FROM v JOIN {table} t ON {still} {lock}) "
        f"UPDATE {table} SET {', '.join(sets)} FROM n WHERE {table}.{pk} = n.{pk} RETURNING {table}.{pk}"
    )
    parameters = [value for row_values in values for value in row_values]
    parameters += [fields[name].get_db_prep_save(first[name], connection) for name in changed if name in shared]
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return {pk for (pk,) in cursor.fetchall()}


def _typed(field: "models.Field[Any, Any]", sql: str) -> str:
    """Cast a column of VALUES to the field's type; a text is never cast, which would cut it to its column's length."""
    if connection.vendor != "postgresql" or isinstance(field, models.CharField | models.TextField):
        return sql
    return f"{sql}::{field.db_type(connection)}"
