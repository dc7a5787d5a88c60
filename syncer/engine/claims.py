"""Claims: a worker takes bindings for the length of a lease, under row locks."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from backoffice.kit import clock
from backoffice.kit.statements import Slot, Statement
from syncer.core.decide import ClaimedBinding, claimed
from syncer.engine import ceiling
from syncer.models import Binding, Run, mark
from syncer.models.routemap import RouteMap
from syncer.targets.base import Step

COLUMNS = [field.attname for field in Binding._meta.concrete_fields]
NOW = Slot("now", Binding._meta.get_field("lease_until"))


def claim(
    routes: RouteMap,
    step: Step,
    *,
    keys: list[str] | None,
    limit: int,
    lease: float,
    run: Run | None = None,
) -> list[ClaimedBinding]:
    """Claim, for `lease` seconds, up to `limit` bindings that no other worker is claiming at this moment.

    The claim is committed when this returns; the objects to send must be read after that. Deletes that are too many for
    the `run` are not claimed.

    Args:
        keys: of the only objects to claim; None: any.

    Raises:
        ForeignMarkError: this is another database than the one that the run planned in, such as a standby that was
            promoted meanwhile and may not know of what was sent.
    """
    ends, route = time.monotonic() + lease, step.route
    with transaction.atomic(durable=True):
        now = clock.now()
        mark.check_database(routes.database)
        due = partial(_due, routes, step, now, keys)
        found = _read(_statement(routes, step, limit).run({"now": now}) if keys is None else due()[:limit])
        if any(deletes and not row.delete_allowed for row, deletes in found):
            found = _read(due(ceiling.waiting(routes, route, run))[:limit])
        Binding.objects.filter(pk__in=[row.pk for row, _ in found]).update(
            token=F("token") + 1, unconfirmed=True, lease_until=now + timedelta(seconds=lease), delete_waits=False
        )
    hours, account = route.key_hours, route.target.account
    return [
        claimed(row, row.object_key, deletes=deletes, ends=ends, now=now, key_hours=hours, account=account)
        for row, deletes in found
    ]


@lru_cache(maxsize=256)
def _statement(routes: RouteMap, step: Step, limit: int) -> Statement:
    """Return the statement that claims of any objects begin with: to build it takes longer than to run it."""
    return Statement(_due(routes, step, NOW)[:limit])


def _due(
    routes: RouteMap,
    step: Step,
    now: datetime | Slot,
    keys: list[str] | None = None,
    waiting: Q | None = None,
) -> QuerySet[Binding, tuple[Any, ...]]:
    """Return the bindings of a step that can be claimed, locked: their COLUMNS, and whether a record is deleted."""
    route, is_wanted = step.route, routes.is_wanted(step.route)
    due = routes.claimable(route, now)
    if step.has_record is not None:
        due = due.filter(remote_id__isnull=not step.has_record)
    if step.is_wanted is not None:
        due = due.filter(is_wanted if step.is_wanted else ~is_wanted)
    if step.has_failed is not None:
        due = due.filter(tries__gt=0) if step.has_failed else due.filter(tries=0)
    if keys is not None:
        due = due.filter(object_key__in=keys)
    if waiting is not None:
        due = due.exclude(waiting)
    due = due.annotate(deletes=routes.deletes(route)).order_by("pk")
    return due.select_for_update(skip_locked=True, of=("self",)).values_list(*COLUMNS, "deletes")


def _read(rows: Iterable[Sequence[Any]]) -> list[tuple[Binding, bool]]:
    return [(Binding.from_db(None, COLUMNS, row[:-1]), bool(row[-1])) for row in rows]
