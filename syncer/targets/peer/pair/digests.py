"""Digests of our objects by ranges of keys: read in keyset pages, never as model instances."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from syncer.core.merge import Content
from syncer.core.ranges import WHOLE, Range, Summary, Summing, digest_of
from syncer.models import Route
from syncer.models.keys import json_value
from syncer.targets.peer.rows import Account

PAGE = 2000  # rows a statement


@dataclass(frozen=True)
class Listed:
    """The digests of a range's objects, in the order of their keys.

    Attributes:
        digests: `{key: digest in hexadecimal}`.
        covered_to: the key at which the list stops early, which is not in it; None if the list is complete.
    """

    digests: Mapping[str, str]
    covered_to: str | None = None


def contents(route: Route, part: Range = WHOLE, *, user: Account | None = None) -> Iterator[tuple[str, Content]]:
    """Yield the keys, as peers write them, and contents of a range's objects, in the order of their keys.

    Args:
        user: an account; only objects visible to it are yielded. None: all objects.
    """
    names = sorted(route.shared)
    manager: Any = route.declaration.model._default_manager
    rows = (manager.all() if user is None else manager.visible_to(user)).order_by("pk").values_list("pk", *names)
    if part.end is not None:
        rows = rows.filter(pk__lt=UUID(part.end))
    first = {} if part.first is None else {"pk__gte": UUID(part.first)}
    while page := list(rows.filter(**first)[:PAGE]):
        for pk, *values in page:
            yield str(pk), dict(zip(names, map(json_value, values), strict=True))
        if len(page) < PAGE:
            return
        first = {"pk__gt": page[-1][0]}


def digests(route: Route, part: Range = WHOLE, *, user: Account | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield the keys and digests of a range's objects, as `contents` does."""
    return ((key, digest_of(key, content)) for key, content in contents(route, part, user=user))


def sum_up(route: Route, part: Range, *, user: Account | None = None, most: int | None = None) -> Summary:
    """Return a range's count and digest; read at most `most` of its objects."""
    summing = Summing()
    for key, digest in digests(route, part, user=user):
        if summing.count == most:
            return summing.summary(covered_to=key)
        summing.add(key, digest)
    return summing.summary()


def listed(route: Route, part: Range, *, user: Account | None = None, most: int | None = None) -> Listed:
    """Return the digest of each object of a range, at most `most` of them."""
    digests_by_key: dict[str, str] = {}
    for key, digest in digests(route, part, user=user):
        if len(digests_by_key) == most:
            return Listed(digests_by_key, covered_to=key)
        digests_by_key[key] = digest.hex()
    return Listed(digests_by_key)
