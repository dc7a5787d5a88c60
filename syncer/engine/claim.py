"""Claims: a worker takes bindings for the length of a lease, by a conditional write."""

import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet

from backoffice.kit import clock
from syncer.core.decide import ClaimedBinding, claimed
from syncer.models import Binding, Route, state
from syncer.models.routemap import RouteMap


def claimable(routes: RouteMap, route: Route, now: datetime) -> QuerySet[Binding]:
    """The bindings that a worker may take now. Each condition is looked at here and stored nowhere."""
    return Binding.objects.filter(state.claimable(now), ~routes.waits(route), route=route)


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
    return [
        claimed(row, row.object_key, ends=ends, now=now, key_hours=route.key_hours, account=route.target.account)
        for row in rows
    ]
