"""Dispatch: claim and deliver route by route while the target is healthy, and probe it while it is unreachable."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, F, Max, Q, QuerySet

from backoffice.kit import clock
from backoffice.kit.batches import batched
from syncer.core.decide import ClaimedBinding
from syncer.engine import breaker
from syncer.engine.breaker import Pace
from syncer.engine.claims import claim
from syncer.engine.sender import Sender
from syncer.models import Binding, Route, Run
from syncer.models.binding import UNBLOCKED
from syncer.models.binding import claimed as is_claimed
from syncer.models.routemap import RouteMap
from syncer.targets.base import Step, kind_of

OTHERS_PAUSE = 0.2  # seconds
SOON = 0.25  # seconds for a batch, after which the next one may be twice as large
GROWTH = 10  # times SYNC_BATCH, which is the first


def dispatch(run: Run, routes: RouteMap, *, until: float) -> bool:
    """Send what can be sent `until` a time of the monotonic clock; return False if that came before the work's end."""
    with Sender(run.target) as sender:
        goes_on = True
        while goes_on and not sender.is_stopped:
            match breaker.pace(run.target, run):
                case Pace.STOP:
                    break
                case Pace.GO:
                    began = clock.now()
                    goes_on = _deliver_all(run, routes, sender, until) or _wait_for_others(run, sender, since=began)
                case pace:
                    goes_on = _probe(run, routes, sender, pace)
            if goes_on and time.monotonic() > until:
                return False
    return True


def _deliver_all(run: Run, routes: RouteMap, sender: Sender, until: float) -> bool:
    """Claim and deliver what can be claimed now, step by step; return whether another round may find more."""
    kind = kind_of(run.target)
    if not (kind.is_introduced(run.target) or kind.introduce(run.target, sender)):
        return False
    if not kind.prepare(run, routes, sender):
        return False
    progress = False
    left = Binding.objects.left(run.target, run.scope).order_by()
    facts = (_is(Q(remote_id__isnull=False)), _is(UNBLOCKED))
    # A claim costs more than to see that there is nothing to claim.
    kinds = set(left.values_list("route", *facts).distinct())
    due = {(route, bound) for route, bound, is_unblocked in kinds if is_unblocked}
    has_blocked = not all(is_unblocked for _, _, is_unblocked in kinds)
    for step in kind.steps(routes):
        if not any(route == step.route.pk and step.has_record in (None, bound) for route, bound in due):
            continue
        claims = _claims(run, routes, step, sender, until)
        progress |= kind.deliver(run, routes, step.route, claims, sender, probe=False)
        if sender.is_stopped or (progress and time.monotonic() > until):
            return not sender.is_stopped
    return progress or (has_blocked and _try_refused(run))


def _is(condition: Q) -> "ExpressionWrapper[Q]":
    return ExpressionWrapper(condition, BooleanField())


def _claims(run: Run, routes: RouteMap, step: Step, sender: Sender, until: float) -> Iterator[list[ClaimedBinding]]:
    """Claim batch by batch, each when it is taken; end where nothing is left, or no more may be sent now.

    A claim of many costs hardly more than one of few, but what a slow target does not get to is held for nothing: the
    claims grow as long as each is done soon. They are handed on in batches, since each create of a batch may have
    arrived once it was begun, so that after a crash all of them are looked up.
    """
    batch, keys = kind_of(run.target).batch or settings.SYNC_BATCH, _chosen(run, step.route)
    size, most = batch, kind_of(run.target).batch or GROWTH * batch
    # Asked before each claim: the run may have been cancelled meanwhile, the target blocked, or have stopped answering.
    while not sender.is_stopped and breaker.pace(run.target, run) is Pace.GO:
        # After a wait that the target asked for, one request finds out whether it is over.
        is_trial = bool(run.target.throttled)
        limit = 1 if is_trial else size
        bindings = claim(routes, step, keys=keys, limit=limit, lease=sender.lease_seconds, run=run)
        if not bindings:
            break
        began = time.monotonic()
        yield from batched(bindings, batch)
        # What became due meanwhile is left to the next round.
        if len(bindings) < limit or is_trial or time.monotonic() > until:
            break
        if time.monotonic() - began < SOON:
            size = min(most, 2 * size)


def _try_refused(run: Run) -> bool:
    """Let what the target refused be tried again, if something was delivered since; return whether anything is.

    Another object may have been in the way, such as the old holder of a unique name; so this goes on for as long as
    it helps. What is refused stays rejected once nothing else is under way that could help.
    """
    left, now = Binding.objects.left(run.target, run.scope), clock.now()
    refused = left.filter(~is_claimed(now), refused_at__isnull=False)
    if not refused.exists():
        return False
    delivered = Binding.objects.filter(route__target=run.target, rejected=None)
    latest = delivered.aggregate(latest=Max("settled_at"))["latest"]
    if latest and _update(refused.filter(refused_at__lt=latest), rejected=None, refused_at=None, token=F("token") + 1):
        return True
    if not left.filter(UNBLOCKED).filter(Q(not_before__gt=now) | is_claimed(now)).exists():
        _update(refused, refused_at=None)
    return False


def _update(rows: QuerySet[Binding], **columns: Any) -> int:
    """Write columns of those rows that no other transaction is writing: waiting for it could be a deadlock."""
    with transaction.atomic():
        unlocked = rows.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)
        return Binding.objects.filter(pk__in=list(unlocked)).update(**columns)


def _probe(run: Run, routes: RouteMap, sender: Sender, pace: Pace) -> bool:
    """Deliver one object, if it is our turn; return whether to ask for the target's pace again."""
    # A probe can take four requests: a sign-in and a lookup, each of them sent twice.
    turn = breaker.take_turn(run.target, 4 * sender.client.request_seconds)
    if turn is None:
        return False
    kind = kind_of(run.target)
    if not kind.prepare(run, routes, sender, probe=True):
        return False
    if claimed := _claim_one(run, routes, sender, pace):
        route, bindings = claimed
        progress = kind.deliver(run, routes, route, [bindings], sender, probe=True)
    else:
        # Not at the pace FRESH: contacting the target is no delivery of an object that has not failed.
        progress = pace is Pace.PROBE and kind.introduce(run.target, sender, probe=True)
    breaker.give_back(run.target, turn)
    return progress


def _claim_one(run: Run, routes: RouteMap, sender: Sender, pace: Pace) -> tuple[Route, list[ClaimedBinding]] | None:
    """Claim one binding, those that have not failed first: one object that always fails must not hold up the others."""
    for has_failed in (False,) if pace is Pace.FRESH else (False, True):
        for step in kind_of(run.target).steps(routes):
            keys = _chosen(run, step.route)
            tried = replace(step, has_failed=has_failed)
            bindings = claim(routes, tried, keys=keys, limit=1, lease=sender.lease_seconds, run=run)
            if bindings:
                return step.route, bindings
    return None


def _wait_for_others(run: Run, sender: Sender, *, since: datetime) -> bool:
    """Wait a little if other workers hold what is left, so that the run ends only when the outcome is known.

    A lease that was live `since` the round began kept us from claiming, even if it has ended by now. Return whether it
    waited, so that another round may find more.
    """
    if sender.is_stopped or not Binding.objects.left(run.target, run.scope).filter(lease_until__gt=since).exists():
        return False
    time.sleep(OTHERS_PAUSE)
    return True


def _chosen(run: Run, route: Route) -> list[str] | None:
    """Return the keys of the route's objects that the run is limited to; None: all of them."""
    return None if run.scope is None else run.scope.get(route.model, [])
