"""Split long lists, many rows and their keys into parts; `itertools.batched` comes with Python 3.12."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

T = TypeVar("T")
M = TypeVar("M", bound=Model)


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the items in their order, in lists of at most `size`."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def batched_rows(rows: "QuerySet[M]", size: int) -> Iterator[list[M]]:
    """Yield the rows in the order of their keys, in lists of at most `size`; see `batched_keys`."""
    rows, last = rows.order_by("pk"), None
    while batch := list((rows if last is None else rows.filter(pk__gt=last))[:size]):
        yield batch
        last = batch[-1].pk


def batched_keys(rows: "QuerySet[Any]", size: int) -> Iterator[list[Any]]:
    """Yield the primary keys of rows in their order, in lists of at most `size`; each list is asked when it is wanted.

    Keyset pages: constant memory, without a server-side cursor, and none is met twice.
    """
    keys, last = rows.order_by("pk").values_list("pk", flat=True), None
    while batch := list((keys if last is None else keys.filter(pk__gt=last))[:size]):
        yield batch
        last = batch[-1]
