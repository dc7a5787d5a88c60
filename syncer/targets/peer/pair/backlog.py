"""The backlog of single objects of a peer's route: why two nodes may differ although nothing is wrong."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection, models

from syncer.models import Binding, Replica, Route
from syncer.models.backlog import pending_keys
from syncer.models.binding import FACTS, holding
from syncer.models.keys import key_of

PENDING, REJECTED, ON_HOLD, CONFLICT = "pending", "rejected", "on hold", "conflict"


def backlog_of(route: Route, keys: Iterable[str]) -> dict[str, list[str]]:
    """Return what is still to come of each object, `{key: ["pending", "conflict"]}`, without objects that are done.

    Args:
        keys: as peers write them; those of the result too.
    """
    wire_keys = {key_of(route.declaration.model, UUID(key)): key for key in keys}
    if not wire_keys:
        return {}
    bindings = Binding.objects.filter(route=route, object_key__in=wire_keys)
    rejected = holding({"due": True, "on_hold": False, "in_doubt": False, "rejected": True})
    keys_by_reason: list[tuple[str, Iterable[str]]] = [
        (CONFLICT, _keys(Replica.objects.waiting().filter(model=route.model, object_key__in=wire_keys))),
        (PENDING, _pending(route, list(wire_keys))),
        (REJECTED, _keys(bindings.filter(rejected))),
        (ON_HOLD, _keys(bindings.filter(FACTS["on_hold"]))),
    ]
    reasons: dict[str, list[str]] = {}
    for reason, object_keys in keys_by_reason:
        for key in object_keys:
            reasons.setdefault(wire_keys[key], []).append(reason)
    return reasons


def _keys(rows: "models.QuerySet[Any]") -> Iterable[str]:
    return list(rows.order_by("object_key").values_list("object_key", flat=True))


def _pending(route: Route, keys: list[str]) -> list[str]:
    """Return the keys of the objects that are due, or that the history since the route's mark names."""
    query = pending_keys(route)
    places = ", ".join(["%s"] * len(keys))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT object_key FROM ({query.sql}) AS pending WHERE object_key IN ({places})", [*query.params, *keys]
        )
        return [key for (key,) in cursor.fetchall()]
