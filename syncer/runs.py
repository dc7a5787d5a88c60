"""Runs: one sync of one target, from the asking to the report.

A run can be worked on twice at once, killed at any line and taken up again: which work there is, and who holds it,
lives in the bindings.
"""

import time
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from syncer import clock, report, status
from syncer.claim import claim
from syncer.core.schedule import CHANGE, interval
from syncer.deliver import deliver
from syncer.errors import TargetStopped
from syncer.models import Route, Run, Target
from syncer.plan import plan, raise_keys
from syncer.routemap import RouteMap
from syncer.send import Sender

OTHERS_PAUSE = 0.2  # seconds
ASKED = (Run.Trigger.MANUAL, Run.Trigger.COMMAND)
Scope = dict[str, list[str]]  # {"news.Post": ["1", "2"]}


def ask(*, target: Target, trigger: Run.Trigger, user: Any = None, scope: Scope | None = None) -> tuple[Run, bool]:
    """A run for a worker to do, and whether it is new: of unscoped ones at most one a target waits.

    A person who asks while one waits by itself makes it theirs, so that it plans all routes.
    """
    while True:
        try:
            with transaction.atomic():
                run = Run.objects.create(target=target, trigger=trigger, user=user, scope=scope, beat_at=clock.now())
                return run, True
        except IntegrityError:
            waiting = Run.objects.filter(target=target, state=Run.State.QUEUED, scope__isnull=True)
            if trigger in ASKED:
                waiting.exclude(trigger__in=ASKED).update(trigger=trigger, user=user)
        # A worker may have taken it between the two statements: then ask anew.
        if found := waiting.first():
            return found, False


def run_here(target: Target, *, scope: Scope | None = None) -> Run:
    """A sync by this very process, to its end."""
    run = Run.objects.create(target=target, trigger=Run.Trigger.COMMAND, state=Run.State.RUNNING, scope=scope)
    work(run)
    return run


def work(run: Run, *, seconds: float = float("inf")) -> bool:
    """Do the run, or as much of it as fits into `seconds`; whether it ended.

    1. Say that it runs: a change from here on asks for a run of its own.
    2. Plan: all routes when a person asked, else those that follow changes or are due.
    3. Claim and deliver, parents first, until a whole pass finds nothing to do and nobody else is at it.
    4. Count what became of it.
    """
    until = time.monotonic() + seconds
    _begin(run)
    try:
        routes = RouteMap(run.target)
        _plan(run, routes)
    except TargetStopped as error:
        Target.objects.filter(pk=run.target_id).update(paused=str(error)[:512])
    if _may_send(run.target):
        with Sender(run.target) as sender:
            while _pass(run, routes, sender, until) or _others_are_at_it(run, sender):
                if time.monotonic() > until:
                    return False
    _finish(run)
    return True


def _begin(run: Run) -> None:
    now = clock.now()
    run.started_at = run.started_at or now
    Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING, started_at=run.started_at, beat_at=now)
    if run.trigger in ASKED:
        # Whoever asks has put right what the target was paused for; if not, the first answer pauses it again.
        Target.objects.filter(pk=run.target_id).update(paused="")


def _may_send(target: Target) -> bool:
    target.refresh_from_db()
    return target.enabled and not target.paused and (target.not_before is None or target.not_before <= clock.now())


def _plan(run: Run, routes: RouteMap) -> None:
    for route in routes.parents_first:
        if run.scope is not None:
            raise_keys(route, run.scope.get(route.model, []))
        elif run.trigger in ASKED or follows(route):
            plan(routes, route)
    left = status.left(run.target, run.scope)
    if run.trigger in ASKED:
        # A person asked: don't sit out the backoff. An unknown outcome must still be waited for.
        left.filter(unsettled=False).update(not_before=None)
    run.total = max(run.total, left.count())
    Run.objects.filter(pk=run.pk).update(total=run.total)


def follows(route: Route) -> bool:
    """The route syncs by itself, and now."""
    pause = interval(route.trigger)
    if pause is None:
        return route.trigger == CHANGE
    return route.planned_at is None or route.planned_at + pause <= clock.now()


def _pass(run: Run, routes: RouteMap, sender: Sender, until: float) -> bool:
    """Take and deliver what can be taken now; whether another pass may find more."""
    progress = False
    for route in routes.parents_first:
        keys = None if run.scope is None else run.scope.get(route.model, [])
        while lanes := claim(routes, route, keys=keys, limit=settings.SYNC_BATCH, lease=sender.lease_seconds):
            moved = deliver(run, routes, route, lanes, sender)
            Run.objects.filter(pk=run.pk).update(beat_at=clock.now())
            if not moved:
                break
            progress = True
            if sender.is_stopped:
                return False
            if time.monotonic() > until:
                return True
    return progress


def _others_are_at_it(run: Run, sender: Sender) -> bool:
    """Wait a little where other workers hold what is left, so that the run ends only when the outcome is known."""
    if sender.is_stopped or not status.left(run.target, run.scope).filter(lease_until__gt=clock.now()).exists():
        return False
    time.sleep(OTHERS_PAUSE)
    Run.objects.filter(pk=run.pk).update(beat_at=clock.now())
    return True


def _finish(run: Run) -> None:
    """Close the run with its numbers. One that nobody asked for and that had nothing to do leaves no trace."""
    if run.trigger not in ASKED and not run.total and not run.attempts.exists():
        run.delete()
        return
    undone = status.left(run.target, run.scope).exists()
    run.state = Run.State.FAILED if undone else Run.State.DONE
    run.counts, run.message, run.finished_at = report.counts(run), report.sentence(run), clock.now()
    Run.objects.filter(pk=run.pk).update(
        state=run.state, counts=run.counts, message=run.message, finished_at=run.finished_at
    )
