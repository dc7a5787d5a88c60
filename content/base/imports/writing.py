"""The writes of an import: from the temporary table (`staging`), thousands of rows in each statement."""

from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection

from content.base.imports.end_state import parked
from content.base.imports.parking import park
from content.base.imports.staging import CHANGED, NEW, Stage, is_postgresql
from content.base.imports.unique import unique_keys

PARKED = 500  # objects in a statement
WRITTEN = 10_000  # rows in a statement


def write(stage: Stage, resource: Any) -> None:
    """Write all rows that are right, whose objects are locked, in the current transaction.

    Raises:
        IntegrityError: the database refuses them.
    """
    keys = list(unique_keys(stage.model))
    columns = {column.attribute for column in resource.get_import_fields()} | {key.column for key in keys}
    size = WRITTEN if _park(stage, keys) else 1
    for page in stage.pages(size):
        _update(stage, page, columns)
        if added := _insert(stage, page):
            resource.after_adding(added)
    if is_postgresql():
        connection.check_constraints()  # here, for an error of a foreign key comes at the commit otherwise


def _park(stage: Stage, keys: Sequence[Any]) -> bool:
    """Park the objects of which the rows pass on a unique value; return whether the order of the writes is free now."""
    columns = sorted({key.column for key in keys if key.column})
    if not all(key.column for key in keys):
        return False
    for key in keys:
        sql, params = parked(stage, key)
        condition = f"import_kind = '{CHANGED}' AND NOT import_wrong AND {stage.key} IN ({sql})"
        for page in stage.keys(condition, params, PARKED):
            if not park(stage.model, columns, page):
                return False
    return True


def _insert(stage: Stage, page: tuple[int, int]) -> list[Any]:
    """Add the objects of a page, and return their keys. A key that the row leaves open is given by the database."""
    added = []
    for has_key in (True, False):
        columns = ", ".join(name for name in stage.columns if has_key or name != stage.key)
        added += stage.rows(
            f"INSERT INTO {stage.live} ({columns}) SELECT {columns} FROM {stage.name} WHERE import_kind = '{NEW}' "
            f"AND NOT import_wrong AND {stage.key} IS {'NOT' if has_key else ''} NULL "
            f"AND import_row BETWEEN %s AND %s ORDER BY import_row RETURNING {stage.key}",
            page,
        )
    return [stage.model._meta.pk.to_python(key) for (key,) in added]


def _update(stage: Stage, page: tuple[int, int], columns: Collection[str]) -> None:
    """Change the objects of a page. Nobody wrote them since they were read, so an unchanged value stays as it is."""
    written = [
        name
        for name, field in zip(stage.columns, stage.fields, strict=True)
        if not field.primary_key
        and (field.attname in columns or field.name in columns or getattr(field, "auto_now", False))
    ]
    if written:
        sets = ", ".join(f"{name} = s.{name}" for name in written)
        stage.run(
            f"UPDATE {stage.live} SET {sets} FROM {stage.name} s WHERE {stage.live}.{stage.key} = s.{stage.key} "
            f"AND s.import_kind = '{CHANGED}' AND NOT s.import_wrong AND s.import_row BETWEEN %s AND %s",
            page,
        )
