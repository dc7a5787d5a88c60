"""Dispatch: a run claims and delivers route by route while the target works, and probes it while it does not."""

import time
from datetime import datetime

from django.conf import settings

from backoffice.kit import clock
from syncer.core.decide import ClaimedBinding
from syncer.engine import breaker
from syncer.engine.breaker import Pace
from syncer.engine.claim import claim
from syncer.engine.sender import Sender
from syncer.models import Route, Run, backlog
from syncer.models.routemap import RouteMap
from syncer.targets.base import kind_of

OTHERS_PAUSE = 0.2  # seconds


def dispatch(run: Run, routes: RouteMap, *, until: float) -> bool:
    """Send what can be sent now; False: the time, `until` by the monotonic clock, was over before the work."""
    with Sender(run.target) as sender:
        goes_on = True
        while goes_on and not sender.is_stopped:
            match breaker.pace(run.target):
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
    """Claim and deliver what can be claimed now, parents first; whether another round may find more."""
    kind = kind_of(run.target)
    if not (kind.is_introduced(run.target) or kind.introduce(run.target, sender)):
        return False
    progress = False
    for route in routes.parents_first:
        keys = _chosen(run, route)
        # Looked at before each claim: the target may have been blocked meanwhile, or have stopped answering.
        while breaker.pace(run.target) is Pace.GO and (
            bindings := claim(
                routes, route, keys=keys, limit=kind.batch or settings.SYNC_BATCH, lease=sender.lease_seconds
            )
        ):
            moved = kind.deliver(run, routes, route, bindings, sender, probe=False)
            if not moved:
                break
            progress = True
            if sender.is_stopped:
                return False
            if time.monotonic() > until:
                return True
    return progress


def _probe(run: Run, routes: RouteMap, sender: Sender, pace: Pace) -> bool:
    """Deliver one object, if it is our turn; whether to look again how the target is."""
    # A probe may be a look-up that signs in first, each of them twice.
    turn = breaker.take_turn(run.target, 4 * sender.client.request_seconds)
    if turn is None:
        return False
    kind = kind_of(run.target)
    if claimed := _claim_one(run, routes, sender, pace):
        route, bindings = claimed
        moved = kind.deliver(run, routes, route, bindings, sender, probe=True)
    else:
        # Not out of turn, for it is nothing that has not failed yet.
        moved = pace is Pace.PROBE and kind.introduce(run.target, sender, probe=True)
    breaker.give_back(run.target, turn)
    return moved


def _claim_one(run: Run, routes: RouteMap, sender: Sender, pace: Pace) -> tuple[Route, list[ClaimedBinding]] | None:
    """What has not failed yet goes first: of one object that always fails the others must not have to wait."""
    for fresh in (True,) if pace is Pace.FRESH else (True, False):
        for route in routes.parents_first:
            keys = _chosen(run, route)
            bindings = claim(routes, route, keys=keys, limit=1, lease=sender.lease_seconds, fresh=fresh)
            if bindings:
                return route, bindings
    return None


def _wait_for_others(run: Run, sender: Sender, *, since: datetime) -> bool:
    """Wait a little where other workers hold what is left, so that the run ends only when the outcome is known.

    A lease that was live `since` the round began kept us from taking the object, also if it has run out by now.
    """
    if sender.is_stopped or not backlog.left(run.target, run.scope).filter(lease_until__gt=since).exists():
        return False
    time.sleep(OTHERS_PAUSE)
    return True


def _chosen(run: Run, route: Route) -> list[str] | None:
    """The keys of the objects that the run is for; None: all."""
    return None if run.scope is None else run.scope.get(route.model, [])
