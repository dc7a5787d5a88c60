"""Sending what a run is for: passes over the routes while the target works, single probes while it does not."""

import time
from datetime import datetime

from django.conf import settings

from backoffice.kit import clock
from syncer.engine import breaker
from syncer.engine.breaker import Pace
from syncer.engine.claim import claim
from syncer.engine.delivery import ClaimedBinding
from syncer.engine.sender import Sender
from syncer.models import Route, Run, Target, backlog
from syncer.models.routemap import RouteMap
from syncer.targets.peer.message import LARGEST
from syncer.targets.peer.outbound.handshake import ask, greet
from syncer.targets.peer.outbound.push import hand_over
from syncer.targets.rest.deliver import deliver

OTHERS_PAUSE = 0.2  # seconds


def send(run: Run, routes: RouteMap, *, until: float) -> bool:
    """Send what can be sent now; False: the time, `until` by the monotonic clock, was over before the work."""
    with Sender(run.target) as sender:
        goes_on = True
        while goes_on and not sender.is_stopped:
            match breaker.pace(run.target):
                case Pace.STOP:
                    break
                case Pace.GO:
                    began = clock.now()
                    goes_on = _pass(run, routes, sender, until) or _others_were_at_it(run, sender, since=began)
                case pace:
                    goes_on = _probe(run, routes, sender, pace)
            if goes_on and time.monotonic() > until:
                return False
    return True


def _pass(run: Run, routes: RouteMap, sender: Sender, until: float) -> bool:
    """Take and deliver what can be taken now; whether another pass may find more."""
    if run.target.is_peer and not greet(run.target, sender):
        return False
    progress = False
    for route in routes.parents_first:
        keys = _chosen(run, route)
        # Looked at before each claim: the target may have been blocked meanwhile, or have stopped answering.
        while breaker.pace(run.target) is Pace.GO and (
            bindings := claim(routes, route, keys=keys, limit=_batch(run.target), lease=sender.lease_seconds)
        ):
            moved = _deliver(run, routes, route, bindings, sender)
            _heartbeat(run)
            if not moved:
                break
            progress = True
            if sender.is_stopped:
                return False
            if time.monotonic() > until:
                return True
    return progress


def _batch(target: Target) -> int:
    """Objects claimed at a time: a peer takes many with one request."""
    return LARGEST if target.is_peer else int(settings.SYNC_BATCH)


def _deliver(
    run: Run, routes: RouteMap, route: Route, bindings: list[ClaimedBinding], sender: Sender, *, probe: bool = False
) -> bool:
    bring = hand_over if run.target.is_peer else deliver
    return bring(run, routes, route, bindings, sender, probe=probe)


def _probe(run: Run, routes: RouteMap, sender: Sender, pace: Pace) -> bool:
    """Deliver one object, if it is our turn; whether to look again how the target is."""
    # A probe may be a look-up that signs in first, each of them twice.
    turn = breaker.take_turn(run.target, 4 * sender.client.request_seconds)
    if turn is None:
        return False
    found = _take_one(run, routes, sender, pace)
    if found is not None:
        moved = _deliver(run, routes, found[0], found[1], sender, probe=True)
    else:
        # A peer can be asked without an object. Not out of turn, for it is nothing that has not failed yet.
        moved = run.target.is_peer and pace is Pace.PROBE and ask(run.target, sender, probe=True)
    _heartbeat(run)
    breaker.give_back(run.target, turn)
    return moved


def _take_one(run: Run, routes: RouteMap, sender: Sender, pace: Pace) -> tuple[Route, list[ClaimedBinding]] | None:
    """What has not failed yet goes first: of one object that always fails the others must not have to wait."""
    for fresh in (True,) if pace is Pace.FRESH else (True, False):
        for route in routes.parents_first:
            keys = _chosen(run, route)
            bindings = claim(routes, route, keys=keys, limit=1, lease=sender.lease_seconds, fresh=fresh)
            if bindings:
                return route, bindings
    return None


def _others_were_at_it(run: Run, sender: Sender, *, since: datetime) -> bool:
    """Wait a little where other workers hold what is left, so that the run ends only when the outcome is known.

    A lease that was live `since` the pass began kept the pass from taking the object, also if it has run out by now.
    """
    if sender.is_stopped or not backlog.left(run.target, run.scope).filter(lease_until__gt=since).exists():
        return False
    time.sleep(OTHERS_PAUSE)
    _heartbeat(run)
    return True


def _chosen(run: Run, route: Route) -> list[str] | None:
    """The keys of the objects that the run is for; None: all."""
    return None if run.scope is None else run.scope.get(route.model, [])


def _heartbeat(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(heartbeat_at=clock.now())
