"""Claims: a worker takes bindings for the length of a lease, under row locks."""

import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet

from backoffice.kit import clock
from syncer.core.decide import ClaimedBinding, claimed
from syncer.models import Binding, Route, state
from syncer.models.routemap import RouteMap


def claimable(routes: RouteMap, route: Route, now: datetime) -> QuerySet[Binding]:
    """Return the bindings that a worker may take now. The conditions are evaluated here and stored nowhere."""
    return Binding.objects.filter(state.claimable(now), ~routes.waits(route), route=route)


def claim(
    routes: RouteMap, route: Route, *, keys: list[str] | None, limit: int, lease: float, fresh: bool = False
) -> list[ClaimedBinding]:
    """Claim up to `limit` bindings that no other worker is claiming at this moment.

    The claim is committed when this returns; the objects to send must be read after that.

    Args:
        keys: only these objects; None: all.
        lease: seconds.
        fresh: only bindings that have not failed.
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
    return [
        claimed(row, row.object_key, ends=ends, now=now, key_hours=route.key_hours, account=route.target.account)
        for row in rows
    ]
