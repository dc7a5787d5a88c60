"""A preview of what a peer would be sent; nothing is stamped or written."""

from collections.abc import Iterable, Iterator
from typing import Any

from backoffice.kit.history import history_of
from syncer.core.merge import EXISTS, Content, changed, covers
from syncer.models import Binding, Replica, Route
from syncer.models.keys import json_value
from syncer.targets.peer.replicas import shadow_of
from syncer.targets.peer.rows import attname, content_of, live_rows

Differing = dict[str, tuple[Any, Any]]  # {"field": (the last value that the peer is known to have held, ours)}


def unseen_objects(route: Route, keys: Iterable[str]) -> Iterator[tuple[str, Differing]]:
    """Yield those of the objects that the peer is not known to have seen completely.

    Yields:
        The object's key, and its fields that differ; for a deleted object the only one is `exists`.
    """
    keys = list(keys)
    replicas = {row.object_key: row for row in Replica.objects.filter(model=route.model, object_key__in=keys)}
    bindings = {row.object_key: row for row in Binding.objects.filter(route=route, object_key__in=keys)}
    live = live_rows(route, keys)
    common = _common_versions(route, bindings.values())
    for key in keys:
        binding = bindings.get(key)
        replica = replicas.get(key) or Replica(model=route.model, object_key=key)
        content = content_of(route, live.get(key))
        seen = (binding.peer_seen if binding else None) or {}
        edited = changed(shadow_of(route, replica), content)
        if not edited and covers(seen, replica.seen):
            continue
        if content is None:
            yield key, {EXISTS: (True, False)}
            continue
        unseen = {name for name, edits in replica.state.fields.items() if any(not edit.is_in(seen) for edit in edits)}
        before = (common.get(binding.common or 0) if binding else None) or {}
        yield (
            key,
            {
                name: (before.get(name), content[name])
                for name in content
                if name in edited | unseen and (name not in before or before[name] != content[name])
            },
        )


def _common_versions(route: Route, bindings: Iterable[Binding]) -> dict[int, Content]:
    """Return what the peer was last known to hold, by the ids of the rows of our history that contain it."""
    model = route.declaration.model
    columns = {name: attname(model, name) for name in route.shared}
    rows = history_of(model)._default_manager.filter(history_id__in={row.common for row in bindings} - {None})
    return {
        row["history_id"]: {name: json_value(row[column]) for name, column in columns.items()}
        for row in rows.exclude(history_type="-").values("history_id", *columns.values())
    }
