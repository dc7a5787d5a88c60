"""Waking the workers. A wake-up may be lost or come twice: the sweep finds what nobody asked for."""

import logging
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django_q.tasks import async_task

from backoffice.kit import clock, lease
from syncer.core.errors import TargetStoppedError
from syncer.core.schedule import CHANGE, interval
from syncer.engine import breaker
from syncer.engine.breaker import Pace
from syncer.engine.claim import claimable
from syncer.models import Route, Run, Target, mark
from syncer.models.mapping import declarations
from syncer.models.routemap import RouteMap
from syncer.targets.base import kind_of

log = logging.getLogger("syncer.engine.wake")
TASK = "syncer.engine.runs.work_run"
REQUEST_TRIES = 10
REQUESTED = (Run.Trigger.MANUAL, Run.Trigger.COMMAND)
Scope = dict[str, list[str]]  # {"news.Post": ["1", "2"]}


def request_run(
    *, target: Target, trigger: Run.Trigger, user: Any = None, scope: Scope | None = None
) -> tuple[Run, bool]:
    """A run for a worker to do, and whether it is new: of those without a scope at most one waits for each target.

    A person who asks while one waits makes it theirs, so that it plans all routes.
    """
    if scope is not None:
        return _queued(target, trigger, user, scope), True
    for _ in range(REQUEST_TRIES):
        try:
            with transaction.atomic():
                return _queued(target, trigger, user, scope), True
        except IntegrityError as error:
            failure = error
        waiting = Run.objects.filter(target=target, state=Run.State.QUEUED, scope__isnull=True)
        if trigger in REQUESTED:
            waiting.exclude(trigger__in=REQUESTED).update(trigger=trigger, user=user)
        if found := waiting.first():
            return found, False
        # A worker took it between the two statements: try again.
    raise failure


def _queued(target: Target, trigger: Run.Trigger, user: Any, scope: Scope | None) -> Run:
    return Run.objects.create(target=target, trigger=trigger, user=user, scope=scope)


def follows(route: Route) -> bool:
    """The route syncs automatically, and now."""
    pause = interval(route.trigger)
    if pause is None:
        return route.trigger == CHANGE
    return route.planned_at is None or route.planned_at + pause <= clock.now()


def enqueue(run: Run) -> None:
    """Queue a task that works on the run; it has the lease of the run for as long as that lasts."""
    async_task(TASK, run.pk, group=f"run {run.pk}", task_name=f"{run.pk}")


def wake(*, target: Target, trigger: Run.Trigger, user: Any = None, scope: Scope | None = None) -> Run:
    """Ask for a run and have a worker do it."""
    run, is_new = request_run(target=target, trigger=trigger, user=user, scope=scope)
    if is_new:
        enqueue(run)
    return run


def wake_followers(model: str) -> None:
    """Wake every target with a route that follows changes of `model`, for bindings that were raised without history."""
    for target in {route.target for route in _followers().filter(model=model)}:
        wake(target=target, trigger=Run.Trigger.CHANGE)


def wake_for_news() -> int:
    """Wake the targets whose routes follow changes, where the history names some that no waiting run will plan; how
    many. Asked after each commit of anybody's, so it is two queries.

    What came from a peer has nothing new for that peer; whoever took it in has raised what the peer does not know.
    """
    waiting = Run.objects.filter(target=OuterRef("target"), state=Run.State.QUEUED, scope__isnull=True)
    routes = list(_followers().filter(model__in=declarations()).exclude(mark="").exclude(Exists(waiting)))
    found = mark.with_news((route.pk, route.declaration.model, route.mark, route.target.peer_node) for route in routes)
    targets = {route.target for route in routes if route.pk in found}
    for target in targets:
        wake(target=target, trigger=Run.Trigger.CHANGE)
    return len(targets)


def _followers() -> QuerySet[Route]:
    """The routes that follow changes, of targets that may be spoken to now."""
    now = clock.now()
    free = _free(now).exclude(probe_at__gt=now)
    return Route.objects.filter(enabled=True, trigger=CHANGE, target__in=free).select_related("target")


def _free(now: datetime) -> QuerySet[Target]:
    """The targets that may be spoken to, as far as their own rows tell."""
    return Target.objects.filter(Q(not_before=None) | Q(not_before__lte=now), enabled=True, blocked="")


def sweep() -> int:
    """Wake runs whose task or worker is gone, and targets that have something due and no run; return how many."""
    woken = 0
    now = clock.now()
    for run in lease.take_expired(Run.objects.filter(state__in=Run.OPEN).order_by("pk"), now=now):
        enqueue(run)
        woken += 1
    for target in _free(now).exclude(runs__state__in=Run.OPEN):
        try:
            trigger = _due(target)
        except Exception:
            if not connection.is_usable():
                raise
            # One target must not stop the others. Its run will fail in the same way, say so, and let it rest.
            log.exception("can't tell what is due at %s", target.name)
            trigger = Run.Trigger.CHANGE
        if trigger is not None:
            wake(target=target, trigger=trigger)
            woken += 1
    return woken


def _due(target: Target) -> Run.Trigger | None:
    """Why the target should be synced now; None: it should not."""
    try:
        routes, now = RouteMap(target), clock.now()
    except TargetStoppedError:
        return Run.Trigger.CHANGE  # the run will pause the target and say why
    pace = breaker.pace(target)
    if pace is Pace.STOP:
        return None
    kind = kind_of(target)
    if pace is not Pace.FRESH and kind.can_introduce() and (pace is Pace.PROBE or not kind.is_introduced(target)):
        return Run.Trigger.CHANGE  # it is contacted
    for route in routes.parents_first:
        due = claimable(routes, route, now)
        if (due.filter(tries=0) if pace is Pace.FRESH else due).exists():
            return Run.Trigger.RETRY
        if follows(route) and route.trigger != CHANGE:
            return Run.Trigger.SCHEDULE
        if route.trigger == CHANGE and _has_news(route):
            return Run.Trigger.CHANGE
    return None


def _has_news(route: Route) -> bool:
    if route.fingerprint != route.current_fingerprint():
        return True
    try:
        changed = mark.changed_pks(route.declaration.model, route.mark)
    except TargetStoppedError:
        return True  # as above
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS({changed.sql})", changed.params)
        return bool(cursor.fetchone()[0])
