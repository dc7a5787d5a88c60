"""Our objects in ranges of their keys, as digests: read in keyset pages, never as model instances."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from syncer.core.merge import Content
from syncer.core.ranges import WHOLE, Range, Summary, Summing, digest_of
from syncer.models import Route
from syncer.models.keys import json_value

PAGE = 2000  # rows a statement


@dataclass(frozen=True)
class Listed:
    """Objects of a range, keys and digests, in order; `covered_to`: they are told no farther than to this key."""

    digests: Mapping[str, str]
    covered_to: str | None = None


def contents(route: Route, part: Range = WHOLE, *, user: Any = None) -> Iterator[tuple[str, Content]]:
    """The objects of a range in the order of their keys, which are written as peers write them.

    Args:
        user: only what exists for this account; None: all.
    """
    names = sorted(route.shared)
    found: Any = route.declaration.model._default_manager
    rows = (found.all() if user is None else found.visible_to(user)).order_by("pk").values_list("pk", *names)
    if part.end is not None:
        rows = rows.filter(pk__lt=UUID(part.end))
    first = {} if part.first is None else {"pk__gte": UUID(part.first)}
    while page := list(rows.filter(**first)[:PAGE]):
        for pk, *values in page:
            yield str(pk), dict(zip(names, map(json_value, values), strict=True))
        if len(page) < PAGE:
            return
        first = {"pk__gt": page[-1][0]}


def digests(route: Route, part: Range = WHOLE, *, user: Any = None) -> Iterator[tuple[str, bytes]]:
    """As `contents`, with a digest in place of what they hold."""
    return ((key, digest_of(key, content)) for key, content in contents(route, part, user=user))


def sum_up(route: Route, part: Range, *, user: Any = None, most: int | None = None) -> Summary:
    """A range in short; no more than `most` objects of it are read."""
    summing = Summing()
    for key, digest in digests(route, part, user=user):
        if summing.count == most:
            return summing.summary(covered_to=key)
        summing.add(key, digest)
    return summing.summary()


def listed(route: Route, part: Range, *, user: Any = None, most: int | None = None) -> Listed:
    """A range object by object, at most `most` of them."""
    found: dict[str, str] = {}
    for key, digest in digests(route, part, user=user):
        if len(found) == most:
            return Listed(found, covered_to=key)
        found[key] = digest.hex()
    return Listed(found)
