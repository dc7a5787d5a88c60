"""Our objects as answers to a peer's questions."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from syncer.core.ranges import Range, digest_of
from syncer.models import Replica, Route
from syncer.models.keys import json_value, key_of
from syncer.targets.peer.pair.backlog import backlog_of
from syncer.targets.peer.pair.digests import contents
from syncer.targets.peer.rows import Account

PAGE = 1000  # objects a page
OBJECTS = 200  # in one answer

Line = tuple[str, str, list[Any]]  # key, digest, values


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
    page_lines: list[Line] = []
    for line in lines(route, names, first=after, user=user):
        if line[0] != after:
            page_lines.append(line)
        if len(page_lines) == PAGE:
            break
    return page_lines


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
