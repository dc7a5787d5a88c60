"""The bookkeeping of a received batch: its sender's version vectors, and the bindings that it makes due."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, transaction

from backoffice.kit import clock
from syncer.core.ids import encode_id
from syncer.core.merge import covers, together
from syncer.engine.plan import raise_keys
from syncer.engine.wake import wake_followers
from syncer.models import Binding, Route
from syncer.targets.peer import PEER
from syncer.targets.peer.inbound.merging import MergedItem
from syncer.targets.peer.replicas import wire_key

COLUMNS = ("object_key", "peer_seen", "common", "remote_id", "last_remote_id", "settled_at", "delete_allowed")

Bindings = Mapping[str, Binding]  # by the objects' keys


def update_bindings(route: Route, kept: Sequence[MergedItem], stamped: set[str], *, is_current: bool) -> None:
    """Note what the peer has seen, and raise each object for every peer that has not seen all of it.

    Objects are raised even if only a version vector grew. Routes are handled in order, and keys in order within each:
    everything that locks bindings keeps to that order.

    Args:
        stamped: the keys of objects that turned out to have been edited here.
        is_current: whether the batch came from the peer's newest incarnation. What an older one has seen says nothing
            about the newer one.
    """
    edited_here = {merged.key for merged in kept if merged.key in stamped}
    received = [merged for merged in kept if not merged.is_known]
    news = sorted({*edited_here, *(merged.key for merged in received)})
    unseen_by_sender = {
        merged.key for merged in received if not is_current or not covers(merged.item.state.seen, merged.state.seen)
    }
    news_for_sender = sorted(edited_here | unseen_by_sender)
    raised = 0
    for other in Route.objects.filter(model=route.model, target__kind=PEER).order_by("pk"):
        if other.pk != route.pk:
            raised += raise_keys(other, news)
            continue
        if is_current:
            _note_seen(route, kept)
        raised += raise_keys(route, news_for_sender)
    if raised:
        transaction.on_commit(lambda: wake_followers(route.model), robust=True)


def _note_seen(route: Route, kept: Sequence[MergedItem]) -> None:
    """Write the version vectors that the sender has; a repeated batch changes nothing.

    The statement that inserts the missing bindings also locks the existing ones, in the order of the keys. Locking the
    existing ones first would lock in two orders, and deadlock with planners, which insert.
    """
    known = _known_bindings(route, (merged.key for merged in kept))
    news = sorted((merged for merged in kept if _is_news(merged, known.get(merged.key))), key=lambda merged: merged.key)
    if not news:
        return
    raise_keys(route, [merged.key for merged in news], by=0)
    known = _known_bindings(route, (merged.key for merged in news))
    settled_at = connection.ops.adapt_datetimefield_value(clock.now())
    values: list[Any] = []
    for merged in news:
        binding = known[merged.key]
        seen = json.dumps(together(binding.peer_seen or {}, merged.item.state.seen))
        common = merged.replica.read if merged.is_news else binding.common
        last_id = encode_id(wire_key(merged.key))
        values += [route.pk, merged.key, seen, common, _remote_id(merged), last_id, settled_at, False]
    # One statement: Django's own would take a third of the whole batch's time, with all of a binding's columns.
    places = ", ".join([f"({', '.join(['%s'] * (1 + len(COLUMNS)))})"] * len(news))
    updates = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO syncer_binding (route_id, {', '.join(COLUMNS)}) VALUES {places} "
            f"ON CONFLICT (route_id, object_key) DO UPDATE SET {updates}",
            values,
        )


def _known_bindings(route: Route, keys: Iterable[str]) -> Bindings:
    bindings = Binding.objects.filter(route=route, object_key__in=list(keys))
    return {binding.object_key: binding for binding in bindings.only("object_key", "peer_seen", "common", "remote_id")}


def _is_news(merged: MergedItem, known: Binding | None) -> bool:
    """Return whether the binding does not yet say what the item says of its sender."""
    if known is None or known.peer_seen is None or not covers(known.peer_seen, merged.item.state.seen):
        return True
    return known.remote_id != _remote_id(merged) or (merged.is_news and known.common != merged.replica.read)


def _remote_id(merged: MergedItem) -> str | None:
    return encode_id(wire_key(merged.key)) if merged.replica.shadow is not None else None
