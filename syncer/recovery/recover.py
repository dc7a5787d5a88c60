"""After a restore: nothing that the restored rows say of the targets is believed, and everything is compared anew.

Constraints:
- The targets may have moved on after the backup was made, and we may have been the one who moved them: records were
  changed, made and deleted that these rows know nothing of.
- A create is never sent twice on a guess, nor because of what a backup remembers of it.
- A worker may be at work while this is done, in this database.
- Numbers of transactions in the restored history are another cluster's, and may lie in the future of this one.

The design, in one transaction:
1. Lock every route: no plan moves a mark meanwhile.
2. Take the new marks, before any row is read.
3. The `txid` of all history becomes 0: it lies behind every mark.
4. Plan every live object and every binding, one statement a route, in the order of keys.
5. Distrust the bindings, which step 4 has locked. Those with a record are unconfirmed: what they hold is sent whole, or
   deleted, even where it seems equal. All are to be looked for before they are made, those too whose record turns out
   to be gone, for it may have been created again under another id. An unanswered create is not repeated under its key:
   its answer may have come after the backup. It is looked for by the route's lookup alone: the record may have changed.
   Tokens are raised, so what is under way settles nothing; leases stay, until no request of theirs can arrive.
6. Of a peer nothing is distrusted: that it has seen an edit stays true. But it may have seen edits of ours that are
   lost here, and new ones would get their numbers: a new incarnation signs from now on, of which each peer is told. It
   then hands back all that it has.
7. What the targets were blocked for by a foreign mark is over.

What was made after the backup, delivered, and lost by the restore can't be known here: the target has it as an extra.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import CharField, Exists, OuterRef
from django.db.models.functions import Cast
from django.utils import timezone

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

CURE = "sync_recover"  # what a target that a foreign mark blocked names


@dataclass(frozen=True, kw_only=True)
class Distrusted:
    """What is compared anew, or would be, of one route.

    Attributes:
        problem: why its mark is not this database's, or why nothing can be done for its target; empty: neither.
        bound: objects with a record, which is sent whole, or deleted.
        unbound: objects without one that is known, which are looked for before they are made.
        can_look_up: they can be looked for; else a person decides.
        peer: the node, where the target is one; what it has not seen is handed over, and what is lost here comes back.
    """

    target: str
    model: str
    problem: str = ""
    bound: int = 0
    unbound: int = 0
    can_look_up: bool = True
    peer: str = ""


def survey() -> list[Distrusted]:
    """What `recover` would do; nothing is written."""
    return [_of(routes, route) for routes in _targets() for route in routes.ordered]


def recover() -> list[Distrusted]:
    """Do it, for the whole database; twice does no harm."""
    with transaction.atomic(durable=True):
        list(Route.objects.select_for_update(of=("self",), no_key=True).order_by("pk"))
        found = survey()
        marks = {label: str(mark.take(one.model)) for label, one in declarations().items()}
        _forget_numbers()
        if any(one.peer for one in found):
            identity.take("The database was restored.")
        for routes in _targets():
            for route in routes.ordered:
                raise_all(route)
                kind_of(routes.target).distrust(route)
                Route.objects.filter(pk=route.pk).update(mark=marks[route.model], planned_at=timezone.now())
        Target.objects.filter(blocked__contains=CURE).update(blocked="")
    if connection.vendor != "postgresql":
        restore_detection.count(forget=True)
    return found


def _targets() -> Iterator[RouteMap]:
    """Every target's routes; but for those that can't be told, which go on being stopped."""
    for target in Target.objects.all():
        try:
            yield RouteMap(target)
        except TargetStoppedError:
            continue


def _of(routes: RouteMap, route: Route) -> Distrusted:
    bound = Binding.objects.filter(route=route, remote_id__isnull=False)
    of_object = bound.filter(object_key=Cast(OuterRef("pk"), CharField()))
    return Distrusted(
        target=routes.target.name,
        model=route.model,
        problem=stopped(route),
        bound=bound.count(),
        unbound=routes.wanted(route).exclude(Exists(of_object)).count(),
        can_look_up=bool(route.lookup),
        peer=routes.target.peer_node,
    )


def _forget_numbers() -> None:
    """Of every model: a route that is made later reads its history too."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for declaration in declarations().values():
            history = table(history_of(declaration.model))
            cursor.execute(f"UPDATE {history} SET txid = 0 WHERE txid <> 0")
