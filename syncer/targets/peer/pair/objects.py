"""Some of our objects as a peer that asks is told of them."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from syncer.core.ranges import Range, digest_of
from syncer.models import Replica, Route
from syncer.models.keys import json_value, key_of
from syncer.targets.peer.pair.backlog import standing
from syncer.targets.peer.pair.digests import contents

PAGE = 1000  # objects a page
OBJECTS = 200  # told of at once

Line = tuple[str, str, list[Any]]  # key, digest, values


def lines(route: Route, names: Sequence[str], *, first: str | None = None, user: Any = None) -> Iterable[Line]:
    """The objects from `first` on in the order of their keys, with the values of some fields."""
    for key, content in contents(route, Range(first), user=user):
        yield key, digest_of(key, content).hex(), [content[name] for name in names]


def page(route: Route, *, after: str | None, names: Sequence[str], user: Any) -> list[Line]:
    """The next objects after a key."""
    found: list[Line] = []
    for line in lines(route, names, first=after, user=user):
        if line[0] != after:
            found.append(line)
        if len(found) == PAGE:
            break
    return found


def objects(route: Route, keys: Sequence[str], *, user: Any = None, whole: bool = True) -> dict[str, dict[str, Any]]:
    """`{key: {"fields": …, "seen": …, "standing": […]}}`; `fields` is None where it is not there.

    Args:
        whole: else only `standing`, of those that something is to come of.
    """
    to_come = standing(route, keys)
    if not whole:
        return {key: {"standing": words} for key, words in to_come.items()}
    model: Any = route.declaration.model
    names = sorted(route.shared)
    rows = model._default_manager.all() if user is None else model._default_manager.visible_to(user)
    found = {
        str(pk): dict(zip(names, map(json_value, values), strict=True))
        for pk, *values in rows.filter(pk__in=[UUID(key) for key in keys]).values_list("pk", *names)
    }
    seen = _seen(route, keys)
    return {
        key: {"fields": found.get(key), "seen": seen.get(key, {}), "standing": to_come.get(key, [])} for key in keys
    }


def _seen(route: Route, keys: Sequence[str]) -> dict[str, dict[str, int]]:
    of_key = {key_of(route.declaration.model, UUID(key)): key for key in keys}
    rows = Replica.objects.filter(model=route.model, object_key__in=of_key)
    return {of_key[key]: seen for key, seen in rows.values_list("object_key", "seen")}
