"""What a peer would be handed, told without stamping or writing anything."""

from collections.abc import Iterable, Iterator
from typing import Any

from backoffice.kit.history import history_of
from syncer.core.merge import EXISTS, Content, changed, covers
from syncer.models import Binding, Replica, Route
from syncer.models.keys import json_value
from syncer.targets.peer.replicas import shadow_of
from syncer.targets.peer.rows import content_of, live_rows

Differing = dict[str, tuple[Any, Any]]  # {"field": (what the peer has last been known to hold, what we hold)}


def handed_over(route: Route, keys: Iterable[str]) -> Iterator[tuple[str, Differing]]:
    """Of these objects the ones of which the peer is not known to have seen all, by key; `exists` is of a delete."""
    keys = list(keys)
    replicas = {row.object_key: row for row in Replica.objects.filter(model=route.model, object_key__in=keys)}
    bindings = {row.object_key: row for row in Binding.objects.filter(route=route, object_key__in=keys)}
    live = live_rows(route, keys)
    common = _common(route, bindings.values())
    for key in keys:
        binding = bindings.get(key)
        replica = replicas.get(key) or Replica(model=route.model, object_key=key)
        content = content_of(route, live.get(key))
        seen = (binding.peer_seen if binding else None) or {}
        edited = changed(shadow_of(route, replica), content)
        if edited or not covers(seen, replica.seen):
            unseen = {name for name, found in replica.state.fields.items() if any(not one.is_in(seen) for one in found)}
            before = common.get(binding.common or 0) if binding else None
            yield key, _differing(edited | unseen, before, content)


def _differing(names: Iterable[str], before: Content | None, now: Content | None) -> Differing:
    if now is None:
        return {EXISTS: (True, False)}
    old = before or {}
    return {
        name: (old.get(name), now[name])
        for name in now
        if name in names and (name not in old or old[name] != now[name])
    }


def _common(route: Route, bindings: Iterable[Binding]) -> dict[int, Content]:
    """What the peer was last known to hold, by the rows of our history that tell it."""
    model = route.declaration.model
    columns = {name: str(getattr(model._meta.get_field(name), "attname")) for name in route.shared}  # noqa: B009
    rows = history_of(model)._default_manager.filter(history_id__in={row.common for row in bindings} - {None})
    return {
        row["history_id"]: {name: json_value(row[column]) for name, column in columns.items()}
        for row in rows.exclude(history_type="-").values("history_id", *columns.values())
    }
