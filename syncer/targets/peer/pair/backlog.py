"""What is still to come of single objects of a peer's route: why two nodes may differ and nothing is wrong."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection

from syncer.models import Binding, Replica, Route
from syncer.models.backlog import pending_keys
from syncer.models.keys import key_of
from syncer.models.state import FACTS, holding

PENDING, REJECTED, ON_HOLD, CONFLICT = "pending", "rejected", "on hold", "conflict"


def standing(route: Route, keys: Iterable[str]) -> dict[str, list[str]]:
    """Of the objects that something is to come of, what; keys as peers write them."""
    of_key = {key_of(route.declaration.model, UUID(key)): key for key in keys}
    if not of_key:
        return {}
    bound = Binding.objects.filter(route=route, object_key__in=of_key)
    found: list[tuple[str, Iterable[str]]] = [
        (CONFLICT, _keys(Replica.objects.waiting().filter(model=route.model, object_key__in=of_key))),
        (PENDING, _pending(route, list(of_key))),
        (REJECTED, _keys(bound.filter(holding({"due": True, "on_hold": False, "in_doubt": False, "rejected": True})))),
        (ON_HOLD, _keys(bound.filter(FACTS["on_hold"]))),
    ]
    told: dict[str, list[str]] = {}
    for word, some in found:
        for key in some:
            told.setdefault(of_key[key], []).append(word)
    return told


def _keys(rows: Any) -> Iterable[str]:
    return list(rows.order_by("object_key").values_list("object_key", flat=True))


def _pending(route: Route, keys: list[str]) -> list[str]:
    """Those that are due, or that the history names since it was last read."""
    query = pending_keys(route)
    places = ", ".join(["%s"] * len(keys))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT object_key FROM ({query.sql}) AS pending WHERE object_key IN ({places})", [*query.params, *keys]
        )
        return [key for (key,) in cursor.fetchall()]
