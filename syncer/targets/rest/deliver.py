"""Delivering: claimed bindings become requests, and what came of them is settled."""

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from uuid import uuid4

from backoffice.kit import clock
from syncer.core.decide import Action, Payload, decide
from syncer.core.settle import Changes
from syncer.engine.delivery import Lane, Parcel
from syncer.engine.sender import Result, Sender
from syncer.engine.settling import Settler, commit
from syncer.models import Binding, Route, Run
from syncer.models.routemap import RouteMap
from syncer.targets.rest.endpoint import Endpoint
from syncer.targets.rest.payload import Wanted, load

COMMITTED_FIRST = (Action.CREATE, Action.DELETE)


def deliver(
    run: Run, routes: RouteMap, route: Route, lanes: list[Lane], sender: Sender, *, probe: bool = False
) -> bool:
    """Bring the records of claimed bindings in line with the live objects, as they are now.

    1. Read the live rows: after the claim was committed, so that an edit is either in them or planned anew.
    2. Decide each, from what the target is known to hold and what we have.
    3. Commit the key and body of each create, and which are deletes, before any of them leaves.
    4. Send, and settle what comes back in the batches in which it comes.

    Returns:
        Whether anything was done; False: all of them still wait for another object.
    """
    endpoint = Endpoint.of(route)
    settler = Settler(run=run, routes=routes, route=route, sender=sender, probe=probe)
    live = load(routes, route, [lane.key for lane in lanes])
    # The claim has asked this already, but of objects that were perhaps to be there then.
    gone = [lane.pk for lane in lanes if lane.key not in live and lane.known.remote_id is not None]
    not_yet = routes.with_children(route, gone)
    parcels = [
        Parcel(lane=lane, action=Action.WAIT) if lane.pk in not_yet else _decide(endpoint, lane, live.get(lane.key))
        for lane in lanes
    ]
    parcels = _commit_first(parcels)
    futures: dict[Future[Result], Parcel] = {}
    silent: list[tuple[Parcel, Result]] = []
    for parcel in parcels:
        future = _send(sender, endpoint, parcel)
        if future is None:
            silent.append((parcel, Result(verdict=None)))
        else:
            futures[future] = parcel
    settler.settle(silent)
    for done in _batches(futures):
        settler.settle([(futures[future], future.result()) for future in done])
    return any(parcel.action is not Action.WAIT for parcel in parcels)


def _decide(endpoint: Endpoint, lane: Lane, live: Wanted | None) -> Parcel:
    payload = live.payload if live else None
    if live and live.waits:
        return Parcel(lane=lane, action=Action.WAIT)
    action = decide(lane.known, payload, can_look_up=bool(endpoint.lookup), can_replay=lane.can_replay)
    if action is Action.REPLAY:
        path = lane.create_path or (live.create_path if live else endpoint.path)
        return Parcel(lane=lane, action=action, sent=lane.known.create_body, create_path=path, key=lane.create_key)
    return Parcel(
        lane=lane,
        action=action,
        sent=payload,
        like=_like(endpoint, lane, payload) if action is Action.LOOKUP else None,
        create_path=live.create_path if live else "",
        parent=live.parent if live else None,
        key=uuid4() if action is Action.CREATE else None,
    )


def _like(endpoint: Endpoint, lane: Lane, payload: Payload | None) -> Payload | None:
    """What a record holds that is looked for: what the create sent; of one we don't know of, what it is told by."""
    if lane.known.create_body is not None or payload is None:
        return lane.known.create_body
    return {name: payload[name] for name in endpoint.lookup if name in payload}


def _commit_first(parcels: list[Parcel]) -> list[Parcel]:
    """Store what each create, and that each delete, is about to send; drops those whose lease was lost meanwhile.

    What a create then sends is what its row holds, read back: a database may write a number or the order of names in
    its own way, and a repeat must be the same to the byte.
    """
    now = clock.now()
    first: list[tuple[Lane, Changes]] = []
    for one in parcels:
        if one.action is Action.CREATE:
            create: Changes = {
                "create_key": one.key,
                "create_body": one.sent,
                "create_at": now,
                "create_path": one.create_path,
            }
            create |= {"create_account": one.lane.account, "parent_id": one.parent, "parked": None}
            first.append((one.lane, create))
        elif one.action is Action.DELETE:
            first.append((one.lane, {"deleting": True}))
    kept = commit(first)
    creates = [one.lane.pk for one in parcels if one.action is Action.CREATE and one.lane.pk in kept]
    stored = dict(Binding.objects.filter(pk__in=creates).values_list("pk", "create_body")) if creates else {}
    return [
        replace(one, sent=stored[one.lane.pk]) if one.lane.pk in stored else one
        for one in parcels
        if one.action not in COMMITTED_FIRST or one.lane.pk in kept
    ]


def _send(sender: Sender, endpoint: Endpoint, parcel: Parcel) -> Future[Result] | None:
    """Start the parcel's request; None where it needs none."""
    lane, known = parcel.lane, parcel.lane.known
    if parcel.action is Action.LOOKUP and parcel.like is not None:
        return sender.look_up(endpoint, parcel.like, ends=lane.ends)
    if parcel.action in (Action.CREATE, Action.REPLAY) and parcel.sent is not None and parcel.key:
        request = endpoint.create(parcel.create_path, parcel.sent, parcel.key)
    elif parcel.action is Action.UPDATE and parcel.sent is not None and known.remote_id:
        # After an unknown update nobody can say what the record holds: a PATCH then carries all fields.
        request = endpoint.update(known.remote_id, parcel.sent, None if known.unsettled else known.agreed)
    elif parcel.action is Action.DELETE and known.remote_id:
        request = endpoint.delete(known.remote_id)
    else:
        return None
    return sender.deliver(parcel.action, endpoint, request, ends=lane.ends)


def _batches(futures: Iterable[Future[Result]]) -> Iterator[set[Future[Result]]]:
    left = set(futures)
    while left:
        done, left = wait(left, return_when=FIRST_COMPLETED)
        yield done
