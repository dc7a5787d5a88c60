"""What a sync would send, field by field: nothing is sent, nothing is moved."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from backoffice.kit import clock
from syncer.core.decide import Action, Known, Payload, changes, decide
from syncer.models import Binding, Route, Target
from syncer.models.backlog import pending_keys
from syncer.models.routemap import RouteMap
from syncer.targets.peer.outbound.preview import handed_over
from syncer.targets.peer.replicas import wire_key
from syncer.targets.rest.payload import Missing, Wanted, load

PAGE = 500  # objects


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One delivery that a sync would make.

    Attributes:
        name: the object, `news.Post:5`.
        record: the record's id at the target, as people read it; None: it has none yet.
        fields: `{"remote name": (what the target holds, what it would hold)}`; None stands for "not known" and "none".
            Of a peer what it was last known to hold: it may have edits that it has not handed in yet.
    """

    action: Action
    name: str
    record: str | None = None
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)


def preview(target: Target) -> Iterator[Planned]:
    """The deliveries of a sync of all that is pending, parents first; a page of objects is read at a time."""
    routes = RouteMap(target)
    for route in routes.parents_first:
        for keys in _pages(route):
            if target.is_peer:
                yield from _pushes(route, keys)
                continue
            live = load(routes, route, keys)
            known = {row.object_key: row for row in Binding.objects.filter(route=route, object_key__in=keys)}
            for key in keys:
                planned = _planned(route, key, known.get(key), live.get(key))
                if planned.action is not Action.NOTHING:
                    yield planned


def _pushes(route: Route, keys: list[str]) -> Iterator[Planned]:
    for key, fields in handed_over(route, keys):
        yield Planned(action=Action.PUSH, name=f"{route.model}:{key}", record=wire_key(key), fields=fields)


def _pages(route: Route) -> Iterator[list[str]]:
    pending = pending_keys(route)
    last = ""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT object_key FROM ({pending.sql}) AS pending WHERE object_key > %s ORDER BY object_key LIMIT %s",
                [*pending.params, last, PAGE],
            )
            keys = [row[0] for row in cursor.fetchall()]
        if not keys:
            return
        yield keys
        last = keys[-1]


def _planned(route: Route, key: str, binding: Binding | None, wanted: Wanted | None) -> Planned:
    known = Known() if binding is None else binding.known
    payload = None if wanted is None else wanted.payload
    can_replay = binding is not None and binding.can_replay(route, clock.now())
    action = decide(known, payload, can_look_up=bool(route.lookup), can_replay=can_replay)
    return Planned(
        action=action,
        name=f"{route.model}:{key}",
        record=binding.record if binding else None,
        fields=_fields(known.agreed, known.create_body if action is Action.REPLAY else payload),
    )


def _fields(agreed: Payload | None, payload: Payload | None) -> dict[str, tuple[Any, Any]]:
    old = agreed or {}
    return {
        name: (old.get(name), "(its parent's id)" if value is Missing.PARENT else value)
        for name, value in changes(agreed, payload or {}).items()
    }
