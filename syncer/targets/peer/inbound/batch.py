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
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection, transaction

from syncer.core.merge import ASK
from syncer.models import Replica, Route, Target
from syncer.models.keys import key_of, pks
from syncer.targets.peer import contact, identity
from syncer.targets.peer.inbound import permissions
from syncer.targets.peer.inbound.bookkeeping import note
from syncer.targets.peer.inbound.checks import faults_of_item
from syncer.targets.peer.inbound.merging import MergedItem, judge, settle_replica
from syncer.targets.peer.inbound.writing import write
from syncer.targets.peer.message import Batch, Item, ItemResult, Result
from syncer.targets.peer.replicas import lacking, lock, stamp_all, store, wire_key
from syncer.targets.peer.rows import Faults, Rows, newest_history

BATCH_SECONDS = 0.5  # that a whole batch waits for one lock; less than a second, after which deadlocks are looked for
LOCKED_OUT = ("55P03", "40P01")  # lock_not_available, deadlock_detected
LOCK_SECONDS = 3.0  # that items of a batch wait for those who are writing their objects
SHORTEST = 0.01  # seconds; 0 would mean without end
BUSY = "Somebody is writing it just now."


def take_in(target: Target, route: Route, batch: Batch, *, user: Any) -> list[ItemResult]:
    """What became of each item, in their order.

    Raises:
        BehindError: the peer knows edits of ours that we don't; nothing was written of what was not answered.
    """
    told = {item.key: _unfit(item, faults) for item in batch.items if (faults := faults_of_item(item))}
    fit = [item for item in batch.items if item.key not in told]
    told |= _tried(target, route, fit, user=user, writer=batch.writer)
    until = time.monotonic() + LOCK_SECONDS
    for item in fit:
        if item.key not in told:
            left = max(until - time.monotonic(), SHORTEST)
            told |= _tried(target, route, [item], user=user, writer=batch.writer, waits=left)
    return [told.get(item.key) or _busy(item) for item in batch.items]


def _unfit(item: Item, faults: Faults) -> ItemResult:
    return ItemResult(key=item.key, result=Result.REFUSED, fields=faults)


def _busy(item: Item) -> ItemResult:
    return ItemResult(key=item.key, result=Result.LATER, fields={"": [BUSY]})


def _tried(
    target: Target, route: Route, items: Sequence[Item], *, user: Any, writer: str, waits: float = 0
) -> dict[str, ItemResult]:
    """As `_take_in`; nothing where a lock was not to be had."""
    try:
        return _take_in(target, route, items, user=user, writer=writer, waits=waits) if items else {}
    except DatabaseError as error:
        if _code(error) not in LOCKED_OUT:
            raise
        return {}


def _code(error: DatabaseError) -> str:
    """PostgreSQL's; the two generations of its driver name it differently."""
    return str(getattr(error.__cause__, "sqlstate", None) or getattr(error.__cause__, "pgcode", None) or "")


def _take_in(
    target: Target, route: Route, items: Sequence[Item], *, user: Any, writer: str, waits: float
) -> dict[str, ItemResult]:
    """By the items' keys; those that are left out are being written by somebody."""
    model = route.declaration.model
    by_key = {key_of(model, UUID(item.key)): item for item in items}
    with transaction.atomic(durable=True):
        is_current = contact.is_current(target, writer)
        replicas = lock(route, by_key)
        me = identity.writer()  # not before: whoever held the locks may have found out that we were restored
        _wait_at_most(waits or BATCH_SECONDS)
        live, busy = _lock_rows(route, by_key, waits=bool(waits))
        free = {key: one for key, one in replicas.items() if key not in busy}
        _refuse_behind(me, free, by_key)
        stamped = stamp_all(route, free, live, me=me)
        found = [judge(target, route, by_key[key], key, one, live.get(key)) for key, one in sorted(free.items())]
        permissions.refuse(route, found, user=user)
        write(route, found, origin=target.peer_node)
        told = {one.item.key: _told(one) for one in found if not one.is_overtaken}
        kept = [one for one in found if one.is_kept]
        _store(route, kept, [replicas[key] for key in stamped])
        note(route, kept, stamped, is_current=is_current)
    return told


def _wait_at_most(seconds: float) -> None:
    """For any one lock, until the transaction ends."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {int(seconds * 1000)}")


def _refuse_behind(me: str, replicas: Mapping[str, Replica], by_key: Mapping[str, Item]) -> None:
    """As for one object.

    Raises:
        BehindError: with the newest writer of ours that any of the items knows.
    """
    known = []
    for key, one in replicas.items():
        try:
            identity.refuse_behind(me, one.seen, by_key[key].state.seen)
        except identity.BehindError as behind:
            known.append(behind.known)
    if known:
        raise identity.BehindError(max(known))


def _lock_rows(route: Route, keys: Iterable[str], *, waits: bool) -> tuple[Rows, set[str]]:
    """The objects that are there, locked, and the keys of those that somebody is writing."""
    model = route.declaration.model
    wanted = list(keys)
    rows = model._default_manager.filter(pk__in=pks(model, wanted)).order_by("pk")
    locked = {key_of(model, row.pk): row for row in rows.select_for_update(skip_locked=not waits, of=("self",))}
    if waits or len(locked) == len(wanted):
        return locked, set()
    there = {key_of(model, pk) for pk in rows.values_list("pk", flat=True)}
    return locked, there - locked.keys()


def _told(one: MergedItem) -> ItemResult:
    seen = one.item.state.seen if one.is_kept else None
    return ItemResult(key=one.item.key, result=one.result, seen=seen, fields=one.faults)


def _store(route: Route, kept: Sequence[MergedItem], stamped: Sequence[Replica]) -> None:
    """What was stamped is stored even where the item was refused."""
    news = [one.replica for one in kept if settle_replica(route, one)]
    written = [one for one in kept if one.row is not one.stored and not one.faults]
    if written:
        newest = newest_history(route, [one.key for one in written])
        for one in written:
            one.replica.read = newest.get(one.key, one.replica.read)
    store({one.pk: one for one in (*stamped, *news)}.values())


def repair(route: Route, replicas: Iterable[Replica], stamped: Collection[str]) -> None:
    """Write objects that are not what their edits together say, where they can be written now.

    What was not valid together an edit here may have set right: then what else a peer had edited is written too, and
    nothing is left of the conflict. And what a peer said of a field that this program did not have yet is written when
    it has it. It is as if the peer had handed in again what is known.
    """
    waiting = [
        one for one in replicas if lacking(route, one) or (one.object_key in stamped and _is_open(one.conflicts))
    ]
    if waiting:
        target = route.target
        items = tuple(Item(key=wire_key(one.object_key), state=one.state) for one in waiting)
        # Without an incarnation it says nothing of what the peer has seen.
        take_in(target, route, Batch(node=target.peer_node, writer="", items=items), user=target.peer_user)


def _is_open(conflicts: Mapping[str, str] | None) -> bool:
    return any(why != ASK for why in (conflicts or {}).values())
