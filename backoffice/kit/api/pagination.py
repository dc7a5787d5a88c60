"""Keyset pagination: every page of a list costs the same, and new rows do not shift the pages."""

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model, Q, QuerySet

from backoffice.kit.api.problems import FieldError, InvalidError
from backoffice.kit.api.responses import dumps
from backoffice.kit.api.schemas import in_utc, no_nul

STREAM_ROWS = 2000  # rows held in memory at a time
NEWEST_FIRST = ("-pk",)

Row = dict[str, Any]
Rows = QuerySet[Any, Row]


class Keyset:
    """A total order of a model's rows.

    Args:
        order: names of columns that are never null, `-` before descending ones; the primary key is added if missing.

    Raises:
        FieldDoesNotExist: a column is unknown or may be null.
    """

    def __init__(self, model: type[Model], order: Sequence[str]) -> None:
        key = model._meta.pk.name
        names = [f"-{key}" if name == "-pk" else key if name == "pk" else name for name in order]
        if key not in (name.lstrip("-") for name in names):
            names.append(f"-{key}" if names and names[0].startswith("-") else key)
        self.order = tuple(names)
        self.columns = tuple(name.lstrip("-") for name in names)
        self.fields: list[Any] = [model._meta.get_field(name) for name in self.columns]
        if nullable := [field.name for field in self.fields if field.null]:
            raise FieldDoesNotExist(f"{model._meta.label}: {nullable} may be null, so it gives no order.")

    def cursor(self, row: Row) -> str:
        """Return the cursor of the position after `row`; it holds the order, so that it can't be used with another."""
        values = [*self.order, *(row[name] for name in self.columns)]
        return base64.urlsafe_b64encode(orjson.dumps(values, default=str)).decode().rstrip("=")

    def after(self, rows: Rows, values: Sequence[object]) -> Rows:
        """Return the rows after the position that has these `values` of the columns; see `position`."""
        comparisons = ["lt" if name.startswith("-") else "gt" for name in self.order]
        # The database enters the index by the bound on the first column alone; the rest orders equal values:
        # `(a, b) > (x, y)` is `a > x or (a = x and b > y)`, with `<` for a descending column.
        bound = Q(**{f"{self.columns[0]}__{comparisons[0]}e": values[0]})
        behind, equal = Q(), Q()
        for column, comparison, value in zip(self.columns, comparisons, values, strict=True):
            behind |= equal & Q(**{f"{column}__{comparison}": value})
            equal &= Q(**{column: value})
        return rows.filter(bound, behind)

    def position(self, cursor: str) -> list[Any]:
        """Return the values that a cursor names, in the order of the columns.

        Raises:
            InvalidError: the cursor does not come from a list in this order.
        """
        try:
            parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=="))
            half = len(self.order)
            if isinstance(parts, list) and tuple(parts[:half]) == self.order and len(parts) == 2 * half:
                values = [_comparable(field, value) for field, value in zip(self.fields, parts[half:], strict=True)]
                if None not in values:
                    return values
        except (ValueError, TypeError, ValidationError):
            pass
        raise InvalidError(FieldError("cursor", "This is not a cursor that a list in this order gave."))

    def cut(self, rows: list[Row], limit: int) -> tuple[list[Row], str | None]:
        """Return a page of the first `limit + 1` rows after a position, and the cursor of the next (None: the last)."""
        return (rows, None) if len(rows) <= limit else (rows[:limit], self.cursor(rows[limit - 1]))


def _comparable(field: Any, value: object) -> Any:
    """Return `value`, from a cursor that anybody can forge, in a form that every database can compare."""
    parsed = field.to_python(value)
    if isinstance(parsed, datetime):
        return in_utc(parsed)
    return no_nul(parsed) if isinstance(parsed, str) else parsed


def page(
    rows: Rows, *, limit: int, cursor: str | None = None, order: Sequence[str] = NEWEST_FIRST
) -> tuple[list[Row], str | None]:
    """Return at most `limit` rows after `cursor`, and the cursor of the next page (None on the last one).

    `rows` is a `.values(…)` queryset that holds the columns of `order` and the primary key.
    """
    keyset = Keyset(rows.model, order)
    if cursor is not None:
        rows = keyset.after(rows, keyset.position(cursor))
    return keyset.cut(list(rows.order_by(*keyset.order)[: limit + 1]), limit)


def pages(rows: Rows, *, order: Sequence[str] = NEWEST_FIRST) -> Iterator[list[Row]]:
    """Yield all of `rows`, STREAM_ROWS at a time, in constant memory and without a server-side cursor."""
    items, cursor = page(rows, limit=STREAM_ROWS, order=order)
    yield items
    while cursor is not None:
        items, cursor = page(rows, limit=STREAM_ROWS, cursor=cursor, order=order)
        if items:  # otherwise the rows after the cursor were deleted meanwhile
            yield items


def stream(pages_of_rows: Iterator[list[Row]]) -> Iterator[bytes]:
    """Yield pages of rows as one JSON array."""
    yield b"[" + dumps(next(pages_of_rows, []))[1:-1]
    for rows in pages_of_rows:
        yield b"," + dumps(rows)[1:-1]
    yield b"]"
