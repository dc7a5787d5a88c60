"""Claiming: a worker takes bindings for the length of a lease, by a conditional write."""

import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from backoffice.kit import clock
from syncer.core.settle import Claim
from syncer.engine.delivery import ClaimedBinding
from syncer.models import Binding, Route
from syncer.models.binding import DUE, NOT_BLOCKED
from syncer.models.routemap import RouteMap


def claimable(routes: RouteMap, route: Route, now: datetime) -> QuerySet[Binding]:
    """The bindings that a worker may take now. Each condition is looked at here and stored nowhere."""
    return Binding.objects.filter(
        DUE,
        NOT_BLOCKED,
        Q(not_before=None) | Q(not_before__lte=now),
        Q(lease_until=None) | Q(lease_until__lte=now),
        ~routes.waits(route),
        route=route,
    )


def claim(
    routes: RouteMap, route: Route, *, keys: list[str] | None, limit: int, lease: float, fresh: bool = False
) -> list[ClaimedBinding]:
    """Take up to `limit` bindings (of `keys`, if given) for `lease` seconds, those that nobody else is just taking.

    Committed when it returns; what is to be sent must be read after that. With `fresh` only such as have not failed.
    """
    ends = time.monotonic() + lease
    with transaction.atomic(durable=True):
        now = clock.now()
        due = claimable(routes, route, now)
        if keys is not None:
            due = due.filter(object_key__in=keys)
        if fresh:
            due = due.filter(tries=0)
        rows = list(due.order_by("pk").select_for_update(skip_locked=True, of=("self",))[:limit])
        Binding.objects.filter(pk__in=[row.pk for row in rows]).update(
            token=F("token") + 1, unconfirmed=True, lease_until=now + timedelta(seconds=lease)
        )
    return [_claimed_binding(row, route, ends, now) for row in rows]


def _claimed_binding(row: Binding, route: Route, ends: float, now: datetime) -> ClaimedBinding:
    return ClaimedBinding(
        pk=row.pk,
        key=row.object_key,
        token=row.token + 1,
        ends=ends,
        known=row.known,
        claim=Claim(wanted=row.wanted, was=row.unconfirmed, tries=row.tries),
        last_remote_id=row.last_remote_id,
        create_key=row.create_key,
        create_path=row.create_path,
        can_replay=row.can_replay(route, now),
        account=route.target.account,
        peer_seen=row.peer_seen or {},
    )
