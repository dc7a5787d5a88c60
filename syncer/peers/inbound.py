"""What a peer hands in becomes ours.

Constraints, each of which some plausible shortcut breaks:
- An edit that was made here and not looked at yet must not be overwritten: each object is stamped first.
- All or nothing for each item, and one bad item spoils no other.
- A batch that comes twice, late, or in another order changes nothing more.
- A save here never waits for this, and this waits for no save while it holds the lock of another object.
- A handful of statements, however many items.

The design, in one transaction: lock the replicas, then those rows that nobody is writing just now; stamp; judge each
item by itself; write what differs; store the replicas; note what the peer has seen; raise what others have not. Items
whose row somebody is writing come after, each alone.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.db.models import Max

from backoffice.kit import clock
from syncer.core.matching import encode_id
from syncer.core.replica import covers, together
from syncer.keys import key_of, pks
from syncer.mark import history_of
from syncer.models import Binding, Replica, Route, Target
from syncer.peers import identity, may
from syncer.peers.judging import Judged, judge, settle_replica
from syncer.peers.message import Batch, Item, Result, Told
from syncer.peers.replicas import Rows, lock, stamp_all, store, wire_key
from syncer.peers.writing import write
from syncer.plan import raise_keys
from syncer.wake import wake_followers

LOCK_SECONDS = 3.0  # that items of a batch wait for those who are writing their objects
SHORTEST = 0.01  # seconds; 0 would mean without end
BUSY = "Somebody is writing it just now."


def take_in(target: Target, route: Route, batch: Batch, *, user: Any) -> list[Told]:
    """What became of each item, in their order.

    Raises:
        Behind: the peer knows edits of ours that we don't; nothing was written of what was not answered.
    """
    is_current = batch.writer == target.peer_writer
    told = _take_in(target, route, batch.items, user=user, is_current=is_current)
    until = time.monotonic() + LOCK_SECONDS
    for item in batch.items:
        if item.key not in told:
            left = until - time.monotonic()
            told |= _alone(target, route, item, user=user, is_current=is_current, seconds=max(left, SHORTEST))
    return [told[item.key] for item in batch.items]


def _alone(target: Target, route: Route, item: Item, *, user: Any, is_current: bool, seconds: float) -> dict[str, Told]:
    try:
        return _take_in(target, route, [item], user=user, is_current=is_current, waits=seconds)
    except DatabaseError as error:
        if "lock timeout" not in str(error):
            raise
        return {item.key: Told(key=item.key, result=Result.LATER, fields={"": [BUSY]})}


def _take_in(
    target: Target, route: Route, items: Sequence[Item], *, user: Any, is_current: bool, waits: float = 0
) -> dict[str, Told]:
    """By the items' keys; those that are left out are being written by somebody."""
    model = route.declaration.model
    by_key = {key_of(model, UUID(item.key)): item for item in items}
    with transaction.atomic(durable=True):
        me = identity.writer()
        replicas = lock(route, by_key)
        live, busy = _lock_rows(route, by_key, waits=waits)
        free = {key: one for key, one in replicas.items() if key not in busy}
        for key, one in free.items():
            identity.refuse_behind(me, one.seen, by_key[key].state.seen)
        stamped = stamp_all(route, free, live, me=me)
        found = [judge(target, route, by_key[key], key, one, live.get(key)) for key, one in sorted(free.items())]
        may.refuse(route, found, user=user)
        write(route, found, origin=target.peer_node)
        told = {one.item.key: _told(one) for one in found}
        kept = [one for one in found if one.is_kept]
        _store(route, kept, [replicas[key] for key in stamped])
        _note_seen(route, kept, is_current=is_current)
        _raise(route, kept, stamped)
    return told


def _lock_rows(route: Route, keys: Iterable[str], *, waits: float) -> tuple[Rows, set[str]]:
    """The objects that are there, locked, and the keys of those that somebody is writing."""
    model = route.declaration.model
    wanted = list(keys)
    rows = model._default_manager.filter(pk__in=pks(model, wanted)).order_by("pk")
    if waits and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {int(waits * 1000)}")
    locked = {key_of(model, row.pk): row for row in rows.select_for_update(skip_locked=not waits, of=("self",))}
    if waits or len(locked) == len(wanted):
        return locked, set()
    there = {key_of(model, pk) for pk in rows.values_list("pk", flat=True)}
    return locked, there - locked.keys()


def _told(one: Judged) -> Told:
    seen = one.item.state.seen if one.is_kept else None
    return Told(key=one.item.key, result=one.result, seen=seen, fields=one.faults)


def _store(route: Route, kept: Sequence[Judged], stamped: Sequence[Replica]) -> None:
    """What was stamped is stored even where the item was refused."""
    for one in kept:
        settle_replica(route, one)
    written = [one for one in kept if one.row is not one.stored and not one.faults]
    if written:
        newest = _newest_history(route, [one.key for one in written])
        for one in written:
            one.replica.read = newest[one.key]
    store({one.pk: one for one in (*stamped, *(one.replica for one in kept))}.values())


def _newest_history(route: Route, keys: Iterable[str]) -> dict[str, int]:
    model = route.declaration.model
    pk = model._meta.pk.attname
    rows = history_of(model)._default_manager.filter(**{f"{pk}__in": pks(model, keys)})
    return {key_of(model, key): last for key, last in rows.order_by().values_list(pk).annotate(Max("history_id"))}


def _note_seen(route: Route, kept: Sequence[Judged], *, is_current: bool) -> None:
    """What the peer is known to have seen. A message of an older incarnation says nothing of what the newer one has."""
    if not kept or not is_current:
        return
    keys = sorted(one.key for one in kept)
    rows = Binding.objects.filter(route=route, object_key__in=keys).select_for_update().order_by("object_key")
    known = {row.object_key: row for row in rows}
    now = clock.now()
    Binding.objects.bulk_create(
        (_binding(route, one, known.get(one.key), now) for one in sorted(kept, key=lambda one: one.key)),
        update_conflicts=True,
        unique_fields=["route", "object_key"],
        update_fields=["peer_seen", "common", "remote_id", "last_remote_id", "settled_at"],
    )


def _binding(route: Route, one: Judged, known: Binding | None, now: datetime) -> Binding:
    seen = (known.peer_seen if known else None) or {}
    record = encode_id(wire_key(one.key))
    is_there = one.replica.shadow is not None
    return Binding(
        route=route,
        object_key=one.key,
        peer_seen=together(seen, one.item.state.seen),
        common=one.replica.read if one.is_news else known.common if known else None,
        remote_id=record if is_there else None,
        last_remote_id=record,
        settled_at=now,
    )


def _raise(route: Route, kept: Sequence[Judged], stamped: set[str]) -> None:
    """What some peer has not seen is wanted there, also where no content changed, so that history names nothing."""
    state_of = {one.key: one.state.seen for one in kept}
    grown = [one.key for one in kept if not covers(one.item.state.seen, one.state.seen) or one.key in stamped]
    news = [one.key for one in kept if not one.is_known or one.key in stamped]
    raised = raise_keys(route, sorted(grown))
    for other in Route.objects.filter(model=route.model, target__kind=Target.Kind.PEER).exclude(pk=route.pk):
        raised += raise_keys(other, sorted(key for key in news if state_of[key]))
    if raised:
        transaction.on_commit(lambda: wake_followers(route.model), robust=True)
