"""Planning: raise `wanted` of each object that the history names after the mark. Nothing is sent.

The insert orders its rows by key, as every other writer of several bindings does, so that no two of them deadlock.
"""

from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from syncer.models import Binding, Route, mark
from syncer.models.binding import holding
from syncer.models.keys import as_pk, column, pks, table
from syncer.models.mark import Condition, keys_of
from syncer.models.routemap import RouteMap


def plan(routes: RouteMap, route: Route) -> int:
    """Raise `wanted` of every object that changed since the route's mark, and move the mark.

    This is one short transaction. A statement of its own locks the route's row first, so that two planners of one route
    run one after the other. Every object is planned on the first plan, and after the path, map or filter changed.

    Returns:
        The number of bindings that were raised.

    Raises:
        ForeignMarkError: the mark is another database's, or lies in the future.
    """
    model = route.declaration.model
    with transaction.atomic(durable=True):
        # A full lock would block inserts of bindings of this route, and this transaction may wait for such a binding.
        locked = Route.objects.select_for_update(of=("self",), no_key=True).get(pk=route.pk)
        fingerprint, here = route.current_fingerprint(), mark.take(model)
        is_new = locked.fingerprint != fingerprint
        text, peer = "" if is_new else locked.mark, routes.target.peer_node
        changed = mark.changed_pks(model, text, but_from=peer, here=here)
        raised = _raise(route, keys_of(changed, and_bound=route.pk if is_new else None))
        if route.filter or is_new:
            raised += _raise_below(routes, route, changed)
        locked.mark, locked.fingerprint, locked.planned_at = str(here), fingerprint, timezone.now()
        locked.save(update_fields=["mark", "fingerprint", "planned_at"])
    return raised


def anchor(route: Route) -> None:
    """Let an empty mark name this database, so that a restore is detected from now on.

    The mark covers no history: without a fingerprint, the first plan takes every object regardless.
    """
    if not route.mark:
        here = str(mark.take(route.declaration.model))
        Route.objects.filter(pk=route.pk, mark="").update(mark=here, fingerprint="")


def raise_all(route: Route) -> int:
    """Raise every object and every binding, which stay locked; return how many."""
    with transaction.atomic():
        return _raise(route, keys_of(mark.changed_pks(route.declaration.model, ""), and_bound=route.pk))


def plan_chosen(routes: RouteMap, route: Route, keys: list[str]) -> None:
    """Raise `wanted` of the chosen objects, and move the mark where the history names no others since.

    Where it does, the mark stays, so that no other change is lost; the bindings say how far these objects were read.
    """
    model, is_read = route.declaration.model, bool(route.mark) and route.fingerprint == route.current_fingerprint()
    if keys and is_read:
        chosen, peer = pks(model, keys), routes.target.peer_node
        if not mark.changes_others(model, route.mark, chosen, but_from=peer):
            plan(routes, route)
    raise_keys(route, keys, read_to=mark.take(model).position if is_read else None)


def raise_keys(route: Route, keys: Iterable[str], *, by: int = 1, read_to: str | None = None) -> int:
    """Raise `wanted` of the named objects by `by`; return how many. With 0 it only creates and locks their bindings.

    Args:
        read_to: the position up to which the history of these objects counts as read; None: that of the route's mark.
    """
    keys = list(keys)
    if not keys:
        return 0
    with transaction.atomic():
        values = ", ".join(["(%s)"] * len(keys))
        named = Condition(f"SELECT column1 AS object_key FROM (VALUES {values}) AS v", tuple(keys))
        return _raise(route, named, by=by, read_to=read_to)


def raise_orphans(route: Route) -> int:
    """Raise each binding that has a record and is not due, but whose object is gone; return how many.

    Such bindings remain where history was removed before it was planned, by hand or with its tables.
    """
    live = route.declaration.model._default_manager.filter(pk=as_pk(route.declaration.model, OuterRef("object_key")))
    at_rest = Binding.objects.filter(holding({"due": False, "bound": True}), ~Exists(live), route=route)
    return raise_keys(route, at_rest.values_list("object_key", flat=True))


def raise_children(routes: RouteMap, route: Route, keys: Iterable[str]) -> None:
    """Raise the children of the named objects, whose remote ids changed."""
    model = route.declaration.model
    params = tuple(model._meta.pk.get_db_prep_value(pk, connection) for pk in pks(model, keys))
    parents = Condition(", ".join(["%s"] * len(params)), params)
    for link in routes.links_down(route):
        _raise(link.child, keys_of(_below(link.child, link.field, parents), and_bound=None))


def _raise_below(routes: RouteMap, route: Route, parents: Condition) -> int:
    """Raise all descendants of the objects `parents` (a query of primary keys), on every level; return how many."""
    raised = 0
    for link in routes.links_down(route):
        if link.child != route:
            below = _below(link.child, link.field, parents)
            raised += _raise(link.child, keys_of(below, and_bound=None)) + _raise_below(routes, link.child, below)
    return raised


def _below(child: Route, field: str, parents: Condition) -> Condition:
    """Return a query of one column `pk`: the objects whose foreign key `field` is among `parents`.

    Args:
        parents: a list of values, or a query of them.
    """
    model = child.declaration.model
    return Condition(
        f"SELECT t.{column(model)} AS pk FROM {table(model)} t WHERE t.{column(model, field)} IN ({parents.sql})",
        parents.params,
    )


def _raise(route: Route, keys: Condition, *, by: int = 1, read_to: str | None = None) -> int:
    """Insert or raise, in one statement, the bindings of the keys in the column `object_key` of a query."""
    order = 'object_key COLLATE "C"' if connection.vendor == "postgresql" else "object_key"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO syncer_binding (route_id, object_key, wanted, read_to) "
            f"SELECT %s, object_key, %s, CAST(%s AS text) FROM ({keys.sql}) AS named WHERE true ORDER BY {order} "
            "ON CONFLICT (route_id, object_key) DO UPDATE "
            "SET wanted = syncer_binding.wanted + excluded.wanted, read_to = excluded.read_to",
            [route.pk, by, read_to, *keys.params],
        )
        return int(cursor.rowcount)
