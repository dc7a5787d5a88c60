"""Recovers after a restore: distrusts what the restored rows say of the targets, and plans every object again.

Constraints:
- The targets may have moved on after the backup was made, possibly through this node itself: records were changed,
  created and deleted that the restored rows do not know of.
- A create is never sent twice on a guess, nor because of what a backup remembers of it.
- A worker may be running in this database at the same time.
- The transaction ids in the restored history are those of another cluster, and may lie in the future of this one.

Design, in one transaction:
1. Lock every route, so that no plan moves a mark meanwhile.
2. Take the new marks, before any row is read.
3. Set the `txid` of all history to 0, so that it lies behind every mark.
4. Plan every live object and every binding, one statement per route, in the order of keys.
5. Distrust the bindings, which step 4 has locked. Those with a record become unconfirmed: the record is sent whole, or
   deleted, even if it seems equal. Every object is looked up before a record is created, even after its record turns
   out to be gone, because it may have been created again under another id. An unanswered create is not replayed under
   its key, because its answer may have come after the backup. What a lookup finds is bound if it is equal; a record
   that differs was changed after the backup, or is not ours, and a person decides. Tokens are increased, so that
   deliveries in progress settle nothing; leases stay until no request of theirs can arrive.
6. Distrust nothing about peers: a peer that has seen an edit has still seen it. But a peer may have seen edits of ours
   that are lost here, and new edits would get the same numbers. So a new incarnation signs from now on; each peer is
   notified of it, and then returns all that it has.
7. Unblock the targets that were blocked by a foreign mark.

Objects that were created after the backup, delivered, and lost by the restore can't be known here: they remain at the
target as extra records.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import CharField, Exists, OuterRef
from django.db.models.functions import Cast
from django.utils import timezone

from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from backoffice.kit.history import history_of
from syncer.core.errors import TargetStoppedError
from syncer.engine.plan import raise_all
from syncer.models import Binding, Route, Target, mark, restore_detection
from syncer.models.backlog import stopped
from syncer.models.keys import table
from syncer.models.mapping import declarations
from syncer.models.routemap import RouteMap
from syncer.targets.base import kind_of
from syncer.targets.peer import identity

CURE = "sync_recover"  # named in the reason of every target that a foreign mark blocked


@dataclass(frozen=True, kw_only=True)
class Distrusted:
    """The objects of one route that are, or would be, compared again."""

    target: str
    model: str
    problem: str  # why the route's mark does not belong to this database; empty where it does
    bound: int  # the number of objects with a record, which is sent whole or deleted
    unbound: int  # the number of objects without a known record, which are looked up before one is created
    can_look_up: bool  # whether those can be found; else a person decides
    peer: str  # the node's name for a peer, which is sent the edits it has not seen and returns those lost here


def survey() -> list[Distrusted]:
    """Return what `recover` would do, without writing anything."""
    return [_distrusted(routes, route) for routes in _routemaps() for route in routes.ordered]


def recover() -> list[Distrusted]:
    """Recover the whole database and return what was distrusted; a second call does no harm."""
    with transaction.atomic(durable=True):
        list(Route.objects.select_for_update(of=("self",), no_key=True).order_by("pk"))
        distrusted = survey()
        marks = {label: str(mark.take(declaration.model)) for label, declaration in declarations().items()}
        _reset_transaction_ids()
        if any(row.peer for row in distrusted):
            identity.take("The database was restored.")
        for routes in _routemaps():
            for route in routes.ordered:
                raise_all(route)
                kind_of(routes.target).distrust(route)
                Route.objects.filter(pk=route.pk).update(mark=marks[route.model], planned_at=timezone.now())
        Target.objects.filter(blocked__contains=CURE).update(blocked="")
        record(Action.DECIDED, decision="recover", routes=len(distrusted))
    if connection.vendor != "postgresql":
        restore_detection.count(forget=True)
    return distrusted


def _routemaps() -> Iterator[RouteMap]:
    """Yield the routes of every target, except those that can't be loaded and remain stopped."""
    for target in Target.objects.all():
        try:
            yield RouteMap(target)
        except TargetStoppedError:
            continue


def _distrusted(routes: RouteMap, route: Route) -> Distrusted:
    """Count the objects of one route."""
    bound = Binding.objects.filter(route=route, remote_id__isnull=False)
    bindings = bound.filter(object_key=Cast(OuterRef("pk"), CharField()))
    return Distrusted(
        target=routes.target.name,
        model=route.model,
        problem=stopped(route),
        bound=bound.count(),
        unbound=routes.wanted(route).exclude(Exists(bindings)).count(),
        can_look_up=route.can_look_up,
        peer=routes.target.peer_node,
    )


def _reset_transaction_ids() -> None:
    """Reset the history of every declared model, because a route that is created later reads it too."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for declaration in declarations().values():
            history = table(history_of(declaration.model))
            cursor.execute(f"UPDATE {history} SET txid = 0 WHERE txid <> 0")
