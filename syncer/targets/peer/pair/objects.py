"""Our objects as answers to a peer's questions: digests of ranges of keys, pages, contents, and what is still to come.

Ranges are read in keyset pages, never as model instances.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection

from syncer.core.merge import Content
from syncer.core.ranges import WHOLE, Range, Summary, Summing, digest_of
from syncer.models import Binding, Replica, Route
from syncer.models.backlog import pending_keys
from syncer.models.binding import FACTS, holding
from syncer.models.keys import json_value, key_of
from syncer.targets.peer.rows import Account

ROWS = 2000  # a statement
PAGE = 1000  # objects a page
OBJECTS = 200  # in one answer

Line = tuple[str, str, list[Any]]  # key, digest, values


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
    while page := list(rows.filter(**first)[:ROWS]):
        for pk, *values in page:
            yield str(pk), dict(zip(names, map(json_value, values), strict=True))
        if len(page) < ROWS:
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


def lines(
    route: Route, names: Sequence[str], *, first: str | None = None, user: Account | None = None
) -> Iterable[Line]:
    """Yield the objects from the key `first` on, in the order of their keys, with the values of the named fields.

    Args:
        user: an account; only objects visible to it are yielded. None: all objects.
    """
    for key, content in contents(route, Range(first), user=user):
        yield key, digest_of(key, content).hex(), [content[name] for name in names]


def page(route: Route, *, after: str | None, names: Sequence[str], user: Account | None) -> list[Line]:
    """Return the next objects after a key, at most PAGE."""
    return list(islice((line for line in lines(route, names, first=after, user=user) if line[0] != after), PAGE))


def objects(
    route: Route, keys: Sequence[str], *, user: Account | None = None, whole: bool = True
) -> dict[str, dict[str, Any]]:
    """Return `{key: {"fields": …, "seen": …, "standing": […]}}`; `fields` is None for an object that does not exist.

    Args:
        whole: whether to return all of that; otherwise only `standing`, of the objects that have a backlog.
    """
    backlog = backlog_of(route, keys)
    if not whole:
        return {key: {"standing": reasons} for key, reasons in backlog.items()}
    model: Any = route.declaration.model
    names = sorted(route.shared)
    rows = model._default_manager.all() if user is None else model._default_manager.visible_to(user)
    fields = {
        str(pk): dict(zip(names, map(json_value, values), strict=True))
        for pk, *values in rows.filter(pk__in=[UUID(key) for key in keys]).values_list("pk", *names)
    }
    wire_keys = {key_of(route.declaration.model, UUID(key)): key for key in keys}
    replicas = Replica.objects.filter(model=route.model, object_key__in=wire_keys)
    seen = {wire_keys[key]: vector for key, vector in replicas.values_list("object_key", "seen")}
    return {
        key: {"fields": fields.get(key), "seen": seen.get(key, {}), "standing": backlog.get(key, [])} for key in keys
    }


def backlog_of(route: Route, keys: Iterable[str]) -> dict[str, list[str]]:
    """Return what is still to come of each object, `{key: ["pending", "conflict"]}`, without objects that are done.

    The reasons are "conflict", "pending", "rejected" and "on hold". They say why two nodes may differ although nothing
    is wrong.

    Args:
        keys: as peers write them; those of the result too.
    """
    wire_keys = {key_of(route.declaration.model, UUID(key)): key for key in keys}
    if not wire_keys:
        return {}
    bindings = Binding.objects.filter(route=route, object_key__in=wire_keys).order_by("object_key")
    replicas = Replica.objects.waiting().filter(model=route.model, object_key__in=wire_keys).order_by("object_key")
    rejected = holding({"due": True, "on_hold": False, "in_doubt": False, "rejected": True})
    keys_by_reason: dict[str, Iterable[str]] = {
        "conflict": replicas.values_list("object_key", flat=True),
        "pending": _pending(route, list(wire_keys)),
        "rejected": bindings.filter(rejected).values_list("object_key", flat=True),
        "on hold": bindings.filter(FACTS["on_hold"]).values_list("object_key", flat=True),
    }
    reasons: dict[str, list[str]] = {}
    for reason, object_keys in keys_by_reason.items():
        for key in object_keys:
            reasons.setdefault(wire_keys[key], []).append(reason)
    return reasons


def _pending(route: Route, keys: list[str]) -> list[str]:
    """Return the keys of the objects that are due, or that the history since the route's mark names."""
    query = pending_keys(route)
    places = ", ".join(["%s"] * len(keys))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT object_key FROM ({query.sql}) AS pending WHERE object_key IN ({places})", [*query.params, *keys]
        )
        return [key for (key,) in cursor.fetchall()]
