"""Sending our edits to a peer: stamped first, in batches, and only those that it is not known to have seen."""

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import as_completed
from dataclasses import replace

from django.db import transaction

from syncer.core.decide import Action, ClaimedBinding
from syncer.core.merge import ASK
from syncer.engine.sender import Sender, SendResult
from syncer.models import Binding, Replica, Route, Run
from syncer.models.routemap import RouteMap
from syncer.targets.peer import identity, wire
from syncer.targets.peer.inbound.batch import repair
from syncer.targets.peer.message import BYTES, LARGEST, Item
from syncer.targets.peer.outbound.settling import PeerSettler, PushedObject
from syncer.targets.peer.replicas import lock, stamp_all, store, wire_key
from syncer.targets.peer.rows import live_rows


def deliver(
    run: Run, routes: RouteMap, route: Route, bindings: list[ClaimedBinding], sender: Sender, *, probe: bool = False
) -> bool:
    """Send the peer the edits of claimed objects that it is not known to have seen.

    1. Stamp, in one short transaction, and read what to send from it.
    2. Settle at once the objects of which the peer has seen all edits.
    3. Send the rest in batches, and settle each when its answer arrives.

    Returns:
        Whether anything was done.
    """
    settler = PeerSettler(run=run, routes=routes, route=route, sender=sender, probe=probe)
    me, stamped = _stamped(routes, route, bindings)
    news = [pushed for pushed in stamped if pushed.is_news]
    seen = [pushed for pushed in stamped if not pushed.is_news]
    settler.settle([(pushed.delivery(Action.NOTHING), SendResult(verdict=None)) for pushed in seen])
    futures = {}
    for batch in _batches(news):
        ends = min(pushed.binding.ends for pushed in batch)
        futures[wire.send(sender, wire.batch_request(route, me, batch), ends=ends)] = batch
    for future in as_completed(futures):
        settler.settle_batch(futures[future], future.result(), me=me)
    return True


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
