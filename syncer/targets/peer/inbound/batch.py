"""Applying a batch that a peer sent.

Constraints, each of which some plausible shortcut breaks:
- An edit that was made here and not stamped yet must not be overwritten: each object is stamped first.
- Each item is applied as a whole or not at all, and an invalid item does not affect the others.
- A batch that arrives twice, late, or in another order changes nothing more.
- A save here never waits for a batch, and a batch waits for no save while it holds the lock of another object.
- The number of statements is small and does not grow with the number of items.

The design, in one transaction: lock the replicas, then the rows that nobody is writing at the moment; stamp; merge each
item separately; write the rows that differ; store the replicas; note what the peer has seen; raise what other peers
have not seen. Items whose rows are being written follow afterwards, each in a transaction of its own.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from django.db import DatabaseError, connection, transaction

from backoffice.kit.database import sqlstate
from syncer.core.merge import ASK
from syncer.models import Replica, Route, Target
from syncer.models.keys import key_of, pks
from syncer.targets.peer import contact, identity
from syncer.targets.peer.inbound.bookkeeping import update_bindings
from syncer.targets.peer.inbound.checks import faults_of_item
from syncer.targets.peer.inbound.merging import MergedItem, merge_item, settle_replica
from syncer.targets.peer.inbound.writing import refuse, write
from syncer.targets.peer.message import Batch, Item, ItemResult, Result
from syncer.targets.peer.replicas import late_fields, lock, stamp_all, store, wire_key
from syncer.targets.peer.rows import Account, Rows, newest_history

BATCH_SECONDS = 0.5  # that a whole batch waits for one lock; less than a second, after which deadlocks are looked for
LOCKED_OUT = ("55P03", "40P01")  # lock_not_available, deadlock_detected
LOCK_SECONDS = 3.0  # that a batch's items wait in total for transactions that write their objects
SHORTEST = 0.01  # seconds; 0 would mean no limit
BUSY = "Somebody is writing it just now."


def take_in(target: Target, route: Route, batch: Batch, *, user: Account | None) -> list[ItemResult]:
    """Apply a batch, and return the result of each item, in the items' order.

    Args:
        user: the peer's account here, whose permissions count.

    Raises:
        BehindError: the peer knows edits of ours that are not in this database; of the items without a result nothing
            was written.
    """
    results: dict[str, ItemResult] = {}
    for item in batch.items:
        if faults := faults_of_item(item):
            results[item.key] = ItemResult(key=item.key, result=Result.REFUSED, fields=faults)
    valid = [item for item in batch.items if item.key not in results]
    results |= _try_items(target, route, valid, user=user, writer=batch.writer)
    until = time.monotonic() + LOCK_SECONDS
    for item in valid:
        if item.key not in results:
            seconds = max(until - time.monotonic(), SHORTEST)
            results |= _try_items(target, route, [item], user=user, writer=batch.writer, lock_seconds=seconds)
        if item.key not in results:
            results[item.key] = ItemResult(key=item.key, result=Result.LATER, fields={"": [BUSY]})
    return [results[item.key] for item in batch.items]


def _try_items(
    target: Target, route: Route, items: Sequence[Item], *, user: Account | None, writer: str, lock_seconds: float = 0
) -> dict[str, ItemResult]:
    """Apply the items as `_apply` does; return no results if a lock could not be taken in time."""
    try:
        return _apply(target, route, items, user=user, writer=writer, lock_seconds=lock_seconds) if items else {}
    except DatabaseError as error:
        if sqlstate(error) not in LOCKED_OUT:
            raise
        return {}


def _apply(
    target: Target, route: Route, items: Sequence[Item], *, user: Account | None, writer: str, lock_seconds: float
) -> dict[str, ItemResult]:
    """Apply the items in one transaction.

    Args:
        lock_seconds: how long to wait for a row that is being written; 0: skip such rows.

    Returns:
        Results by the items' keys, without those of the rows that were skipped.
    """
    model = route.declaration.model
    items_by_key = {key_of(model, UUID(item.key)): item for item in items}
    with transaction.atomic(durable=True):
        is_current = contact.is_current(target, writer)
        replicas = lock(route, items_by_key)
        me = identity.writer()  # only after locking: the previous holder may have found that this node was restored
        _limit_lock_waits(lock_seconds or BATCH_SECONDS)
        live, busy = _lock_rows(route, items_by_key, waits=bool(lock_seconds))
        free = {key: replica for key, replica in replicas.items() if key not in busy}
        identity.refuse_behind(me, ((row.seen, items_by_key[key].state.seen) for key, row in free.items()))
        stamped = stamp_all(route, free, live, me=me)
        merged_items = [
            merge_item(target, route, items_by_key[key], key, replica, live.get(key))
            for key, replica in sorted(free.items())
        ]
        refuse(route, merged_items, user=user)
        write(route, merged_items, origin=target.peer_node)
        results = {merged.item.key: _result(merged) for merged in merged_items if not merged.is_overtaken}
        kept = [merged for merged in merged_items if merged.is_kept]
        _store_replicas(route, kept, [replicas[key] for key in stamped])
        _remove_empty([merged.replica for merged in merged_items if not merged.is_kept])
        update_bindings(route, kept, stamped, is_current=is_current)
    return results


def _limit_lock_waits(seconds: float) -> None:
    """Limit the wait for each lock, until the transaction ends."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {int(seconds * 1000)}")


def _lock_rows(route: Route, keys: Iterable[str], *, waits: bool) -> tuple[Rows, set[str]]:
    """Lock the objects that exist; return them by key, and the keys of those that another transaction is writing."""
    model = route.declaration.model
    wanted = list(keys)
    rows = model._default_manager.filter(pk__in=pks(model, wanted)).order_by("pk")
    locked = {key_of(model, row.pk): row for row in rows.select_for_update(skip_locked=not waits, of=("self",))}
    if waits or len(locked) == len(wanted):
        return locked, set()
    existing = {key_of(model, pk) for pk in rows.values_list("pk", flat=True)}
    return locked, existing - locked.keys()


def _result(merged: MergedItem) -> ItemResult:
    seen = merged.item.state.seen if merged.is_kept else None
    return ItemResult(key=merged.item.key, result=merged.result, seen=seen, fields=merged.faults)


def _store_replicas(route: Route, kept: Sequence[MergedItem], stamped: Sequence[Replica]) -> None:
    """Store the replicas that changed; a stamped one even if its item was refused."""
    changed = [merged.replica for merged in kept if settle_replica(route, merged)]
    written = [merged for merged in kept if merged.row is not merged.stored and not merged.faults]
    if written:
        newest = newest_history(route, [merged.key for merged in written])
        for merged in written:
            merged.replica.read = newest.get(merged.key, merged.replica.read)
    store({replica.pk: replica for replica in (*stamped, *changed)}.values())


def _remove_empty(replicas: Iterable[Replica]) -> None:
    """Remove the replicas of objects that no edit is known of here: they were created for their locks alone."""
    if empty := [replica.pk for replica in replicas if not replica.seen]:
        Replica.objects.filter(pk__in=empty).delete()


def repair(route: Route, replicas: Iterable[Replica], stamped: Collection[str]) -> None:
    """Write objects that differ from their merged edits, where they can be written now.

    There are two cases. An edit here may have made valid what was not valid together: then the peer's other edits are
    written too, and the conflict is over. And a peer's edit of a field that this program did not have yet is written
    once it has the field. Both work as if the peer had sent again what is known.
    """
    waiting = []
    for replica in replicas:
        is_open = any(why != ASK for why in (replica.conflicts or {}).values())
        if late_fields(route, replica) or (replica.object_key in stamped and is_open):
            waiting.append(replica)
    if waiting:
        target = route.target
        items = tuple(Item(key=wire_key(replica.object_key), state=replica.state) for replica in waiting)
        # No writer: the batch is ours, so it says nothing about what the peer has seen.
        take_in(target, route, Batch(node=target.peer_node, writer="", items=items), user=target.peer_user)
