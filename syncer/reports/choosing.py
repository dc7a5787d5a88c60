"""The objects in a state, as a condition on a list of content."""

from typing import Any

from django.db import connection
from django.db.models import CharField, Exists, Model, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast

from backoffice.kit.estimates import MOST
from syncer.core.errors import SyncError
from syncer.core.state import State
from syncer.models import Binding, Replica, Route, mark
from syncer.models.binding import BLOCKED, DUE, FAILED, UNBLOCKED
from syncer.models.keys import as_pk
from syncer.models.mark import Condition
from syncer.reports.states import having

# What narrows the bindings in a state to an index of theirs; it adds nothing to the state itself.
INDEXED = {
    State.SENDING: DUE,
    State.RETRYING: FAILED,
    State.REJECTED: BLOCKED,
    State.IN_DOUBT: BLOCKED,
    State.ON_HOLD: BLOCKED,
}


def in_state(model: type[Model], state: State) -> Q:
    """Return the condition for objects that are in this state at one of their targets.

    The cost is bounded: where few objects are in the state usually, the bindings are read, and not more than MOST of
    one route. Nearly all are in sync, so that each object of a page is looked up instead.
    """
    condition = Q(pk__in=[])
    routes = Route.objects.filter(model=model._meta.label, enabled=True, target__enabled=True)
    for route in routes.select_related("target"):
        condition |= _at(route, model, state)
    return condition


def _at(route: Route, model: type[Model], state: State) -> Q:
    bindings = Binding.objects.filter(having(state), route=route).order_by()
    if state is State.IN_SYNC:
        return Q(Exists(bindings.filter(_is_of_object())))
    if state is State.PENDING:
        others = Binding.objects.filter(~having(State.PENDING), _is_of_object(), route=route)
        return Q(pk__in=_pending(route, model)) & ~Q(Exists(others))
    if state is State.CONFLICT:
        waiting = Replica.objects.waiting().filter(model=route.model).order_by()
        bindings = bindings.filter(object_key__in=waiting.values("object_key")[:MOST])
    return Q(pk__in=_keys(bindings.filter(INDEXED.get(state, Q())), model))


def _is_of_object() -> Q:
    return Q(object_key=Cast(OuterRef("pk"), CharField()))


def _keys(bindings: "QuerySet[Binding]", model: type[Model]) -> "QuerySet[Any, Any]":
    return bindings.annotate(key=as_pk(model, "object_key")).values("key")[:MOST]


def _pending(route: Route, model: type[Model]) -> RawSQL:
    """Return a query of the objects that the next sync will look at: the first MOST changes, and as many that are due.

    Where the mark can't be read, or everything is compared again, that is any object.
    """
    try:
        is_new = route.fingerprint != route.current_fingerprint()
        text, peer = "" if is_new else route.mark, route.target.peer_node
        changes = mark.first_changes(model, text, MOST, but_from=peer, apart=route.pk)
    except SyncError:
        changes = mark.first_changes(model, "", MOST)
    due = Binding.objects.filter(DUE & UNBLOCKED, route=route).order_by().values("object_key")[:MOST]
    keys = Condition(*due.query.sql_with_params())
    kind = model._meta.pk.cast_db_type(connection)
    sql = f"SELECT pk FROM ({changes.sql}) AS changes UNION SELECT CAST(object_key AS {kind}) FROM ({keys.sql}) AS due"
    return RawSQL(sql, [*changes.params, *keys.params])  # noqa: S611 - made from our own names only
