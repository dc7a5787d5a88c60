"""The state of single objects at their targets, and the filter of bindings by state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db import models
from django.db.models import Case, Exists, F, Func, OuterRef, Q, When
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.kit import clock, moments
from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import message_of
from syncer.core.answer_words import reason_in_words
from syncer.core.errors import SyncError
from syncer.core.merge import EXISTS
from syncer.core.state import STATES, State, facts_of, state_of
from syncer.engine import ceiling
from syncer.models import Binding, Replica, Route, mark
from syncer.models.binding import FACTS, claimed, where
from syncer.models.keys import key_of, pks
from syncer.models.routemap import RouteMap
from syncer.targets.base import kind_of, two_way

KEY = "{key}"  # stands for the column of the key, whose table has another name in a subquery
DELETE_WAITS = gettext_lazy("its delete is one of many that wait for a person")


@dataclass(frozen=True, kw_only=True)
class ObjectState:
    """One object at one target."""

    route: Route
    state: State
    # Of any state that needs a person or a wait, or why the route's mark can't be read; else empty. It may quote
    # content, so a phrase stays one until it is known who reads it.
    why: str = ""
    record: str | None = None  # the record's id at the target, as people read it
    settled_at: datetime | None = None  # when the target last gave a definite answer
    next_try: datetime | None = None  # when a retrying object is tried again
    url: str = ""  # the page where a person decides about a conflict, or a delete; else empty
    page: str = ""  # the page of the object at the target, for whoever may see the sync; empty if it was never planned


def object_states(model: type[models.Model], primary_keys: Iterable[Any]) -> dict[Any, list[ObjectState]]:
    """Return the states of objects at each target, by primary key: `{pk: [state, …]}`.

    This takes three queries for each route, and one more for a peer's, however many objects.
    """
    keys = {key_of(model, pk): pk for pk in primary_keys}
    states: dict[Any, list[ObjectState]] = {pk: [] for pk in keys.values()}
    routes = Route.objects.filter(model=model._meta.label, enabled=True, target__enabled=True).select_related("target")
    for route in routes:
        bindings = {row.object_key: row for row in Binding.objects.filter(route=route, object_key__in=keys)}
        for key, state in _states(route, {key: bindings.get(key) for key in keys}).items():
            states[keys[key]].append(state)
    return states


def of_bindings(bindings: Iterable[Binding]) -> dict[int, ObjectState]:
    """Return the states of the objects of these bindings, `{binding's pk: state}`.

    This takes one query for each route, and one more for a peer's.
    """
    by_route: dict[Route, dict[str, Binding]] = {}
    for binding in bindings:
        by_route.setdefault(binding.route, {})[binding.object_key] = binding
    return {rows[key].pk: state for route, rows in by_route.items() for key, state in _states(route, rows).items()}


def _states(route: Route, bindings: Mapping[str, Binding | None]) -> dict[str, ObjectState]:
    """Return the state of each object at one route's target; an object without a binding was never planned."""
    now, keys = clock.now(), list(bindings)
    changed, why = _changed(route, keys)
    conflicts = _conflicts(route, keys)
    deletes = _waiting_deletes(route, bindings.values())
    states = {}
    for key, binding in bindings.items():
        replica = conflicts.get(key)
        state = State.PENDING if replica is None else State.CONFLICT
        if binding is not None:
            state = state_of(facts_of(binding, now, changed=key in changed, conflict=replica is not None))
        states[key] = _described(ObjectState(route=route, state=state, why=why), binding, replica)
        if binding is not None and binding.pk in deletes:
            url = reverse("admin:syncer_target_deletes", args=[route.target_id])
            states[key] = replace(states[key], why=str(DELETE_WAITS), url=url)
    return states


def _described(result: ObjectState, binding: Binding | None, replica: Replica | None) -> ObjectState:
    """Return the state with what the binding, or the replica in conflict, says of it."""
    state = result.state
    if binding is not None:
        page = reverse("admin:syncer_binding_change", args=[binding.pk])
        result = replace(result, record=binding.record, settled_at=binding.settled_at, page=page)
        if state in (State.RETRYING, State.REJECTED, State.IN_DOUBT):
            result = replace(result, why=reason_in_words(binding.reason))
        if state is State.RETRYING:
            result = replace(result, next_try=result.route.target.next_try(binding))
    if state is State.ON_HOLD and binding is not None:
        result = replace(result, why=held(binding))
    if state is State.CONFLICT and replica is not None:
        url = reverse("admin:syncer_replica_change", args=[replica.pk])
        result = replace(result, why=waiting(replica), url=url)
    return result


def held(binding: Binding) -> str:
    """Return who put an object on hold, when and why."""
    if binding.held_at is None:
        return ""
    at = moments.text(binding.held_at, moments.MINUTES)
    if binding.held_by:
        return _("%(why)s (%(who)s, %(at)s)") % {"why": binding.held_why, "who": binding.held_by, "at": at}
    return _("%(why)s (by a command, %(at)s)") % {"why": binding.held_why, "at": at}


def _waiting_deletes(route: Route, bindings: Iterable[Binding | None]) -> set[int]:
    """Return those of the bindings whose deletes a run left to a person; no query where none may delete a record."""
    due = [row.pk for row in bindings if row and row.remote_id and row.wanted > row.delivered]
    if not due:
        return set()
    try:
        left = ceiling.left(RouteMap(route.target), route)
        return set(Binding.objects.filter(left, route=route, pk__in=due).values_list("pk", flat=True))
    except SyncError:
        return set()  # the target is stopped, and says why


def _conflicts(route: Route, keys: list[str]) -> dict[str, Replica]:
    """Return the replicas that are in conflict, by object key; only a two-way target has any."""
    if not kind_of(route.target).is_two_way:
        return {}
    replicas = Replica.objects.waiting().filter(model=route.model, object_key__in=keys)
    return {replica.object_key: replica for replica in replicas.only("object_key", "conflicts")}


def waiting(replica: Replica) -> str:
    """Return what a person has to decide about an object: `keep or delete, quantity`."""
    words = {EXISTS: _("keep or delete"), "": _("the whole")}
    return ", ".join(words.get(name, name.replace("_", " ")) for name in sorted(replica.conflicts or {}))


def _changed(route: Route, keys: list[str]) -> tuple[set[str], str]:
    """Return the keys that the history names after the route's mark, and why the mark can't be read, if so.

    All keys are returned if the mark can't be read, or if the next plan compares everything.
    """
    if not route.mark or route.fingerprint != route.current_fingerprint():
        return set(keys), ""
    try:
        model = route.declaration.model
        scope: dict[str, Any] = {"but_from": route.target.peer_node, "apart": route.pk}
        changed = mark.changed_among(model, route.mark, pks(model, keys), **scope)
        return {key_of(model, pk) for pk in changed}, ""
    except SyncError as error:
        return set(keys), localized(message_of(error))


def having(state: State) -> Q:
    """Return the condition on bindings that their objects have this state now."""
    waiting = Replica.objects.waiting().filter(model=OuterRef("route__model"), object_key=OuterRef("object_key"))
    known = {
        **FACTS,
        "claimed": claimed(clock.now()),
        "changed": reduce(or_, map(_changed_on, Route.objects.select_related("target")), Q(pk__in=[])),
        "conflict": Q(route__target__kind__in=two_way()) & Q(Exists(waiting)),
    }
    return where(STATES, state, known)


def _changed_on(route: Route) -> Q:
    """Return the condition that the next plan looks at a binding of the route: any, if it can't read the mark.

    The database looks each object up in the history, or reads all changes once, whichever costs it less.
    """
    if not route.mark or route.fingerprint != route.current_fingerprint():
        return Q(route=route)
    try:
        found = ChangedSinceMark(route)
    except SyncError:
        return Q(route=route)
    # The key is read as the route's kind of key only where the binding is the route's.
    return Q(Case(When(route=route, then=found), default=models.Value(0, models.BooleanField())))


class ChangedSinceMark(Func):
    """Whether the history names the object of a binding of the route after the route's mark.

    Raises:
        ForeignMarkError: the mark can't be read.
    """

    conditional = True
    output_field = models.BooleanField()

    def __init__(self, route: Route) -> None:
        super().__init__(F("object_key"))
        scope: dict[str, Any] = {"but_from": route.target.peer_node, "apart": route.pk}
        self.condition = mark.is_changed(route.declaration.model, route.mark, KEY, **scope)

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> tuple[str, tuple[Any, ...]]:
        key, _params = compiler.compile(self.source_expressions[0])
        return self.condition.sql.replace(KEY, key), self.condition.params
