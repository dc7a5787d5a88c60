"""Lists by keyset: a page costs the same wherever it stands in the list, and new rows do not move the pages."""

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model, Q, QuerySet

from backoffice.kit.api.problems import FieldError, Invalid
from backoffice.kit.api.responses import dumps
from backoffice.kit.api.schemas import in_utc, no_nul

STREAM_ROWS = 2000  # rows held in memory at a time
NEWEST_FIRST = ("-pk",)

Row = dict[str, Any]
Rows = QuerySet[Any, Row]


class Keyset:
    """An order of a model's rows in which each has its own place.

    Args:
        order: names of columns that are never null, `-` before those that fall; the key is added where it is missing.
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
        """Names the place after `row`; holds the order, so that it can't be used with another one."""
        values = [*self.order, *(row[name] for name in self.columns)]
        return base64.urlsafe_b64encode(orjson.dumps(values, default=str)).decode().rstrip("=")

    def after(self, rows: Rows, cursor: str) -> Rows:
        """The rows behind the place that `cursor` names.

        Raises:
            Invalid: it is not one that a list in this order gave.
        """
        values = self._values(cursor)
        first, value = self.order[0], values[0]
        # The bound on the first column alone is what an index can be entered by; the rest says which of the equals.
        return rows.filter(
            Q(**{f"{self.columns[0]}__{'lte' if first.startswith('-') else 'gte'}": value}), self._behind(values)
        )

    def _behind(self, values: list[Any]) -> Q:
        """`(a, b) > (x, y)` is `a > x or (a = x and b > y)`; with `<` where a column falls."""
        found, equal = Q(), Q()
        for name, column, value in zip(self.order, self.columns, values, strict=True):
            found |= equal & Q(**{f"{column}__{'lt' if name.startswith('-') else 'gt'}": value})
            equal &= Q(**{column: value})
        return found

    def _values(self, cursor: str) -> list[Any]:
        try:
            held = orjson.loads(base64.urlsafe_b64decode(cursor + "=="))
            half = len(self.order)
            if isinstance(held, list) and tuple(held[:half]) == self.order and len(held) == 2 * half:
                found = [_asked(field, value) for field, value in zip(self.fields, held[half:], strict=True)]
                if None not in found:
                    return found
        except (ValueError, TypeError, ValidationError):
            pass
        raise Invalid(FieldError("cursor", "This is not a cursor that a list in this order gave."))


def _asked(field: Any, value: Any) -> Any:
    """`value` of a cursor, which anybody can write, as the column of every database can be compared with it.

    Raises:
        ValueError, TypeError, ValidationError: it is none.
    """
    found = field.to_python(value)
    if isinstance(found, datetime):
        return in_utc(found)
    return no_nul(found) if isinstance(found, str) else found


def page(
    rows: Rows, *, limit: int, cursor: str | None = None, order: Sequence[str] = NEWEST_FIRST
) -> tuple[list[Row], str | None]:
    """At most `limit` rows after `cursor`, and the cursor of what follows (None: nothing does).

    `rows` is a `.values(…)` queryset that holds the columns of `order` and the primary key.
    """
    keyset = Keyset(rows.model, order)
    if cursor is not None:
        rows = keyset.after(rows, cursor)
    found = list(rows.order_by(*keyset.order)[: limit + 1])
    if len(found) <= limit:
        return found, None
    return found[:limit], keyset.cursor(found[limit - 1])


def pages(rows: Rows, *, order: Sequence[str] = NEWEST_FIRST) -> Iterator[list[Row]]:
    """All of `rows`, STREAM_ROWS at a time, in constant memory and without a server-side cursor."""
    found, cursor = page(rows, limit=STREAM_ROWS, order=order)
    yield found
    while cursor is not None:
        found, cursor = page(rows, limit=STREAM_ROWS, cursor=cursor, order=order)
        if found:  # else the rows that the cursor promised were deleted meanwhile
            yield found


def stream(found: Iterator[list[Row]]) -> Iterator[bytes]:
    """Pages of rows as one JSON array."""
    yield b"[" + dumps(next(found, []))[1:-1]
    for rows in found:
        yield b"," + dumps(rows)[1:-1]
    yield b"]"
