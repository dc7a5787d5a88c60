"""Sending our edits to a peer: stamped first, in batches, and only those that it is not known to have seen."""

import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from django.db import transaction

from backoffice.kit.history import history_of
from syncer.core.decide import Action, ClaimedBinding
from syncer.core.merge import ASK, EXISTS, Content, changed, covers
from syncer.engine.sender import Sender, SendResult, Task
from syncer.models import Binding, Replica, Route, Run
from syncer.models.keys import json_value
from syncer.models.routemap import RouteMap
from syncer.targets.peer import client, identity
from syncer.targets.peer.inbound.batch import repair
from syncer.targets.peer.message import BYTES, LARGEST, Item
from syncer.targets.peer.outbound.settling import PeerSettler, PushedObject
from syncer.targets.peer.replicas import lock, shadow_of, stamp_all, store, wire_key
from syncer.targets.peer.rows import attname, content_of, live_rows

AT_ONCE = 2  # batches: one is merged at the other end while the next is stamped here


def deliver(
    run: Run,
    routes: RouteMap,
    route: Route,
    batches: Iterable[list[ClaimedBinding]],
    sender: Sender,
    *,
    probe: bool = False,
) -> bool:
    """Send the peer the edits of claimed objects that it is not known to have seen.

    1. Stamp, in one short transaction, and read what to send from it.
    2. Settle at once the objects of which the peer has seen all edits. Leave those that are gone since the claim to
       another claim, which counts their deletes.
    3. Send the rest in batches, and settle each when its answer arrives. Meanwhile the next claims are made: most of
       the time of a batch is spent at the other end.

    Returns:
        Whether anything was done.
    """
    settler = PeerSettler(run=run, routes=routes, route=route, sender=sender, probe=probe)
    claims, goes_on, progress = iter(batches), True, False
    sent: deque[tuple[Task[SendResult], str, list[PushedObject]]] = deque()
    while goes_on or sent:
        while goes_on and len(sent) < AT_ONCE:
            bindings = next(claims, [])
            goes_on = bool(bindings)
            progress |= goes_on
            me, news = _begin(settler, bindings) if bindings else ("", [])
            for batch in _batches(news):
                ends = min(pushed.binding.ends for pushed in batch)
                request = client.batch_request(route.target, me, route.model, (pushed.item for pushed in batch))
                sent.append((client.send(sender, request, ends=ends), me, batch))
                sender.wait(0)  # so that it is on its way while the next is stamped
        if sent:
            task, me, batch = sent.popleft()
            settler.settle_batch(batch, sender.finish(task), me=me)
    return progress


def _begin(settler: PeerSettler, bindings: list[ClaimedBinding]) -> tuple[str, list[PushedObject]]:
    """Stamp the claimed objects, settle those that need no request; return our writer, and what to send."""
    me, stamped = _stamped(settler.routes, settler.route, bindings)
    unsent = [
        (pushed.delivery(Action.WAIT if pushed.is_news else Action.NOTHING), SendResult(verdict=None))
        for pushed in stamped
        if not pushed.is_news or pushed.is_gone_since
    ]
    settler.settle(unsent)
    return me, [pushed for pushed in stamped if pushed.is_news and not pushed.is_gone_since]


def _stamped(routes: RouteMap, route: Route, bindings: list[ClaimedBinding]) -> tuple[str, list[PushedObject]]:
    """Stamp the claimed objects; return our writer, and what to send of each."""
    keys = [binding.key for binding in bindings]
    with transaction.atomic(durable=True):
        replicas = lock(route, keys)
        me = identity.writer()  # only after locking: the previous holder may have found that this node was restored
        live = live_rows(route, keys)
        stamped = stamp_all(route, replicas, live, me=me)
        store(replicas[key] for key in stamped)
        # Read again: since the claim the peer may have sent a batch, and with it newer version vectors.
        rows = Binding.objects.filter(pk__in=[binding.pk for binding in bindings])
        seen = dict(rows.values_list("pk", "peer_seen"))
    repair(route, replicas.values(), stamped)
    parents = routes.parent_bindings(route, live.values())
    return me, [
        PushedObject(
            binding=replace(binding, peer_seen=seen[binding.pk] or {}),
            item=_item(replicas[binding.key]),
            is_there=replicas[binding.key].shadow is not None,
            read=replicas[binding.key].read,
            parent=parents.get(binding.key),
        )
        for binding in bindings
    ]


def _item(replica: Replica) -> Item:
    waiting = replica.conflicts or {}
    asks = frozenset(name for name, why in waiting.items() if why == ASK)
    return Item(key=wire_key(replica.object_key), state=replica.state, is_open=len(asks) < len(waiting), asks=asks)


def _batches(news: Iterable[PushedObject]) -> Iterator[list[PushedObject]]:
    """Split the objects into batches of at most LARGEST items and about BYTES of JSON."""
    batch: list[PushedObject] = []
    size = 0
    for pushed in news:
        item_size = len(json.dumps(pushed.item.as_json()))
        if batch and (len(batch) == LARGEST or size + item_size > BYTES):
            yield batch
            batch, size = [], 0
        batch.append(pushed)
        size += item_size
    if batch:
        yield batch


# --- the preview: nothing is stamped or written ------------------------------------------------------------
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
