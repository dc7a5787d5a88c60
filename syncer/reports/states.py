"""What one object's state at a target is called, and what each word means."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import connection, models
from django.urls import reverse

from backoffice.kit import clock
from syncer.core.errors import SyncError
from syncer.core.merge import EXISTS
from syncer.engine.summary import next_try
from syncer.models import Binding, Replica, Route, mark
from syncer.models.keys import key_of
from syncer.targets.base import kind_of


class State(StrEnum):
    """The words that pages use. MEANING explains each."""

    IN_SYNC = "in sync"
    PENDING = "pending"
    SENDING = "sending"
    RETRYING = "retrying"
    REJECTED = "rejected"
    IN_DOUBT = "in doubt"
    ON_HOLD = "on hold"
    CONFLICT = "conflict"
    NOT_SYNCED = "not synced"


MEANING = {
    State.IN_SYNC: "The target holds what we hold.",
    State.PENDING: "It changed, or waits for another object; the next sync looks at it.",
    State.SENDING: "A worker has it now.",
    State.RETRYING: "The last try failed; it is still pending, and tried again by itself.",
    State.REJECTED: "The target refused it for good. An edit, or a retry, sends it again.",
    State.IN_DOUBT: "A create may or may not have happened, and only a person can find out.",
    State.ON_HOLD: "A person keeps it back.",
    State.CONFLICT: "Both ends edited it, and a person has to decide what it is to be.",
    State.NOT_SYNCED: "It is not to be at this target, and is not there.",
}


@dataclass(frozen=True, kw_only=True)
class ObjectState:
    """One object at one target.

    Attributes:
        why: of a state that is unhealthy, the reason.
        record: the record's id there, as people read it; None: there is none.
        settled_at: when the target last gave a definite answer.
        next_try: when a failing object is tried again.
        url: of a conflict, the page where it is decided.
    """

    route: Route
    state: State
    why: str = ""
    record: str | None = None
    settled_at: datetime | None = None
    next_try: datetime | None = None
    url: str = ""


def of_objects(model: type[models.Model], found: Iterable[Any]) -> dict[Any, list[ObjectState]]:
    """The states of the objects with the primary keys `found`, at each target: `{pk: [state, …]}`.

    Three queries a route, and one more for a peer's, however many objects.
    """
    keys = {key_of(model, pk): pk for pk in found}
    states: dict[Any, list[ObjectState]] = {pk: [] for pk in keys.values()}
    routes = Route.objects.filter(model=model._meta.label, enabled=True, target__enabled=True).select_related("target")
    for route in routes:
        changed, why = _changed(route, list(keys))
        bindings = {row.object_key: row for row in Binding.objects.filter(route=route, object_key__in=keys)}
        conflicts = _conflicts(route, list(keys))
        for key, pk in keys.items():
            found_one = _state(route, bindings.get(key), changed=key in changed, why=why)
            states[pk].append(_with_conflict(found_one, conflicts.get(key)))
    return states


def of_bindings(found: Iterable[Binding]) -> dict[int, ObjectState]:
    """The states of the objects that these bindings stand for, `{binding's pk: state}`; one query a route,
    and one more for a peer's.
    """
    by_route: dict[Route, list[Binding]] = {}
    for binding in found:
        by_route.setdefault(binding.route, []).append(binding)
    states = {}
    for route, bindings in by_route.items():
        keys = [binding.object_key for binding in bindings]
        changed, why = _changed(route, keys)
        conflicts = _conflicts(route, keys)
        for binding in bindings:
            found_one = _state(route, binding, changed=binding.object_key in changed, why=why)
            states[binding.pk] = _with_conflict(found_one, conflicts.get(binding.object_key))
    return states


def state_of(binding: Binding) -> State:
    """The state of a binding, as far as its own row tells."""
    if binding.on_hold:
        return State.ON_HOLD
    if binding.in_doubt:
        return State.IN_DOUBT
    if binding.wanted == binding.delivered and not binding.unconfirmed:
        return State.NOT_SYNCED if binding.remote_id is None else State.IN_SYNC
    if binding.rejected is not None and binding.rejected >= binding.wanted:
        return State.REJECTED
    if binding.lease_until is not None and binding.lease_until > clock.now():
        return State.SENDING
    return State.RETRYING if binding.tries else State.PENDING


def _state(route: Route, binding: Binding | None, *, changed: bool, why: str) -> ObjectState:
    if binding is None:
        return ObjectState(route=route, state=State.PENDING, why=why)
    state = state_of(binding)
    if changed and state in (State.IN_SYNC, State.NOT_SYNCED, State.REJECTED):
        state = State.PENDING
    return ObjectState(
        route=route,
        state=state,
        why=binding.reason if state in (State.RETRYING, State.REJECTED, State.IN_DOUBT) else why,
        record=binding.record,
        settled_at=binding.settled_at,
        next_try=next_try(route.target, binding) if state is State.RETRYING else None,
    )


def _conflicts(route: Route, keys: list[str]) -> dict[str, Replica]:
    """Those of the keys that wait for a person, since a peer edited them too."""
    if not kind_of(route.target).is_two_way:
        return {}
    found = Replica.objects.waiting().filter(model=route.model, object_key__in=keys)
    return {row.object_key: row for row in found.only("object_key", "conflicts")}


def _with_conflict(found: ObjectState, replica: Replica | None) -> ObjectState:
    """As it is, or that it waits for a person; what is held back waits for its release first."""
    if replica is None or found.state is State.ON_HOLD:
        return found
    url = reverse("admin:syncer_replica_change", args=[replica.pk])
    return replace(found, state=State.CONFLICT, why=waiting(replica), next_try=None, url=url)


def waiting(replica: Replica) -> str:
    """What of an object waits for a person: `keep or delete, quantity`."""
    words = {EXISTS: "keep or delete", "": "the whole"}
    return ", ".join(words.get(name, name.replace("_", " ")) for name in sorted(replica.conflicts or {}))


def _changed(route: Route, keys: list[str]) -> tuple[set[str], str]:
    """Which of the keys the history names after the route's mark; all, where everything is to be compared.

    A mark that can't be read names all of them too, and the second value says why.
    """
    if not route.mark or route.fingerprint != route.current_fingerprint():
        return set(keys), ""
    try:
        changed = mark.changed_pks(route.declaration.model, route.mark)
    except SyncError as error:
        return set(keys), str(error)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT object_key FROM (SELECT CAST(pk AS text) AS object_key FROM ({changed.sql}) AS c) AS k "
            f"WHERE object_key IN ({', '.join(['%s'] * len(keys)) or 'NULL'})",
            [*changed.params, *keys],
        )
        return {row[0] for row in cursor.fetchall()}, ""
