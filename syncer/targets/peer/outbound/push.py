"""Handing our edits over to a peer: stamped first, in batches, and only what it is not known to have seen."""

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
from syncer.targets.peer.outbound.settling import PeerSettler, Pushed
from syncer.targets.peer.replicas import lock, stamp_all, store, wire_key
from syncer.targets.peer.rows import live_rows


def hand_over(
    run: Run, routes: RouteMap, route: Route, bindings: list[ClaimedBinding], sender: Sender, *, probe: bool = False
) -> bool:
    """Let the peer know of claimed objects what it is not known to have seen.

    1. Stamp, in one short transaction, and read what is to be sent out of it.
    2. Settle at once what the peer has seen all of.
    3. Send the rest in batches, and settle each when its answer comes.

    Returns:
        Whether anything was done.
    """
    settler = PeerSettler(run=run, routes=routes, route=route, sender=sender, probe=probe)
    me, found = _stamped(routes, route, bindings)
    news = [one for one in found if one.is_news]
    settler.settle([(one.delivery(Action.NOTHING), SendResult(verdict=None)) for one in found if not one.is_news])
    futures = {
        wire.hand_over(sender, wire.changes(route, me, batch), ends=min(one.binding.ends for one in batch)): batch
        for batch in _batches(news)
    }
    for future in as_completed(futures):
        settler.settle_batch(futures[future], future.result(), me=me)
    return True


def _stamped(routes: RouteMap, route: Route, bindings: list[ClaimedBinding]) -> tuple[str, list[Pushed]]:
    keys = [binding.key for binding in bindings]
    with transaction.atomic(durable=True):
        replicas = lock(route, keys)
        me = identity.writer()  # not before: whoever held the locks may have found out that we were restored
        live = live_rows(route, keys)
        stamped = stamp_all(route, replicas, live, me=me)
        store(replicas[key] for key in stamped)
        # Read once more: the peer may have handed in what it knows since the claim.
        rows = Binding.objects.filter(pk__in=[binding.pk for binding in bindings])
        seen = dict(rows.values_list("pk", "peer_seen"))
    repair(route, replicas.values(), stamped)
    above = routes.parent_bindings(route, live.values())
    return me, [
        Pushed(
            binding=replace(binding, peer_seen=seen[binding.pk] or {}),
            item=_item(replicas[binding.key]),
            is_there=replicas[binding.key].shadow is not None,
            read=replicas[binding.key].read,
            parent=above.get(binding.key),
        )
        for binding in bindings
    ]


def _item(replica: Replica) -> Item:
    waiting = replica.conflicts or {}
    asks = frozenset(name for name, why in waiting.items() if why == ASK)
    return Item(key=wire_key(replica.object_key), state=replica.state, is_open=len(asks) < len(waiting), asks=asks)


def _batches(news: Iterable[Pushed]) -> Iterator[list[Pushed]]:
    """At most LARGEST items and about BYTES of JSON at a time."""
    batch: list[Pushed] = []
    size = 0
    for one in news:
        more = len(json.dumps(one.item.as_json()))
        if batch and (len(batch) == LARGEST or size + more > BYTES):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += more
    if batch:
        yield batch
