"""Long lists in parts; `itertools.batched` comes with Python 3.12."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in their order, at most `size` at a time."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
