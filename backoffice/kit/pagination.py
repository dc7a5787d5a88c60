"""Lists by keyset on the primary key, newest first: a page costs the same wherever it stands in the list."""

import base64
from collections.abc import Iterator
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from backoffice.kit.problems import FieldError, Invalid
from backoffice.kit.responses import dumps

STREAM_ROWS = 2000  # rows held in memory at a time

Row = dict[str, Any]
Rows = QuerySet[Any, Row]


def encode_cursor(key: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def decode_cursor(rows: Rows, cursor: str) -> Any:
    """The primary key that `cursor` names.

    Raises:
        Invalid: it is not one of ours.
    """
    try:
        key = rows.model._meta.pk.to_python(orjson.loads(base64.urlsafe_b64decode(cursor + "==")))
    except (ValueError, ValidationError):
        key = None
    if key is None:
        raise Invalid(FieldError("cursor", "This is not a cursor that a list gave."))
    return key


def page(rows: Rows, *, limit: int, cursor: str | None = None) -> tuple[list[Row], str | None]:
    """At most `limit` rows after `cursor`, and the cursor of what follows (None: nothing does).

    `rows` is a `.values(…)` queryset that holds the primary key.
    """
    if cursor is not None:
        rows = rows.filter(pk__lt=decode_cursor(rows, cursor))
    found = list(rows.order_by("-pk")[: limit + 1])
    if len(found) <= limit:
        return found, None
    return found[:limit], encode_cursor(found[limit - 1][rows.model._meta.pk.name])


def stream(rows: Rows) -> Iterator[bytes]:
    """All of `rows` as one JSON array, in constant memory and without a server-side cursor."""
    found, cursor = page(rows, limit=STREAM_ROWS)
    yield b"[" + dumps(found)[1:-1]
    while cursor is not None:
        found, cursor = page(rows, limit=STREAM_ROWS, cursor=cursor)
        if found:  # else the rows that the cursor promised were deleted meanwhile
            yield b"," + dumps(found)[1:-1]
    yield b"]"
