"""Waking the workers. A wake-up may be lost or come twice: the sweep finds work without one."""

import logging
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django_q.tasks import async_task

from backoffice.kit import clock, lease
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from syncer.core.errors import TargetStoppedError
from syncer.engine import breaker, ceiling
from syncer.engine.breaker import Pace
from syncer.models import Route, Run, Target, mark
from syncer.models.mapping import declarations
from syncer.models.route import CHANGE
from syncer.models.routemap import RouteMap
from syncer.targets.base import kind_of

log = logging.getLogger("syncer.engine.wake")
TASK = "syncer.engine.runs.work_run"
REQUEST_TRIES = 10
REQUESTED = Run.REQUESTED
Scope = dict[str, list[str]]  # {"news.Post": ["1", "2"]}


def request_run(
    *, target: Target, trigger: Run.Trigger, user: Any = None, scope: Scope | None = None
) -> tuple[Run, bool]:
    """Create a run for a worker to do, or return the one that waits; with it, whether it is new.

    Of the runs without a scope, at most one waits for each target. A request by a person takes a waiting run over, so
    that it plans all routes.
    """
    name = user.get_username() if user else ""
    if scope is not None:
        return Run.objects.create(target=target, trigger=trigger, user=name, scope=scope), True
    for _ in range(REQUEST_TRIES):
        try:
            with transaction.atomic():
                return Run.objects.create(target=target, trigger=trigger, user=name), True
        except IntegrityError as error:
            failure = error
        waiting = Run.objects.filter(target=target, state=Run.State.QUEUED, scope__isnull=True)
        if trigger in REQUESTED:
            waiting.exclude(trigger__in=REQUESTED).update(trigger=trigger, user=name)
        if run := waiting.first():
            return run, False
        # A worker took it between the two statements: try again.
    raise failure


def follows(route: Route) -> bool:
    """Return whether the route syncs automatically, and is to be planned now."""
    if route.interval is None:
        return route.trigger == CHANGE
    return route.planned_at is None or route.planned_at + route.interval <= clock.now()


def enqueue(run: Run) -> None:
    """Queue a task that works on the run. Until the run's lease ends, the run counts as taken by this task."""
    async_task(TASK, run.pk, group=f"run {run.pk}", task_name=f"{run.pk}")


def record_request(run: Run, *, user: Any = None) -> None:
    """Record that a person asked for the run, or joined one that waits."""
    objects = None if run.scope is None else sum(map(len, run.scope.values()))
    record(Action.RUN_REQUESTED, run.target, actor=user, run=run.pk, objects=objects)


def wake(*, target: Target, trigger: Run.Trigger, user: Any = None, scope: Scope | None = None) -> Run:
    """Request a run and queue it for a worker, unless one waits already."""
    run, is_new = request_run(target=target, trigger=trigger, user=user, scope=scope)
    if trigger in REQUESTED:
        record_request(run, user=user)
    if is_new:
        enqueue(run)
    return run


def wake_followers(model: str) -> None:
    """Wake each target with a route that follows changes of `model`, for bindings that were raised without history."""
    for target in {route.target for route in _followers().filter(model=model)}:
        wake(target=target, trigger=Run.Trigger.CHANGE)


def wake_for_news() -> int:
    """Wake the targets whose routes follow changes and have history that no waiting run will plan; return how many.

    Called after every commit in the database, so it makes only two queries.

    Changes that came from a peer are not news for that peer: the code that accepted them has raised what the peer does
    not know.
    """
    waiting = Run.objects.filter(target=OuterRef("target"), state=Run.State.QUEUED, scope__isnull=True)
    routes = list(_followers().filter(model__in=declarations()).exclude(mark="").exclude(Exists(waiting)))
    pks = mark.with_news((route.pk, route.declaration.model, route.mark, route.target.peer_node) for route in routes)
    targets = {route.target for route in routes if route.pk in pks}
    for target in targets:
        wake(target=target, trigger=Run.Trigger.CHANGE)
    return len(targets)


def _followers() -> QuerySet[Route]:
    """Return the routes that follow changes, of targets that may be sent to now."""
    now = clock.now()
    free = _free(now).exclude(probe_at__gt=now)
    return Route.objects.filter(enabled=True, trigger=CHANGE, target__in=free).select_related("target")


def _free(now: datetime) -> QuerySet[Target]:
    return Target.objects.filter(Q(not_before=None) | Q(not_before__lte=now), enabled=True, blocked="")


def sweep() -> int:
    """Wake runs whose task or worker is gone, and targets that have work due and no run; return how many."""
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
            # One target must not stop the others. Its run will fail in the same way, report it, and let it rest.
            log.exception("can't tell what is due at %s", target.name)
            trigger = Run.Trigger.CHANGE
        if trigger is not None:
            wake(target=target, trigger=trigger)
            woken += 1
    return woken


def _due(target: Target) -> Run.Trigger | None:
    """Return why the target should be synced now; None: it should not."""
    try:
        routes, now = RouteMap(target), clock.now()
    except TargetStoppedError:
        return Run.Trigger.CHANGE  # the run will block the target and say why
    pace = breaker.pace(target)
    if pace is Pace.STOP:
        return None
    kind = kind_of(target)
    if pace is not Pace.FRESH and kind.can_introduce() and (pace is Pace.PROBE or not kind.is_introduced(target)):
        return Run.Trigger.CHANGE  # it is contacted
    retry = Run(target=target, trigger=Run.Trigger.RETRY)
    is_cancelled = _is_cancelled(target)
    for route in routes.parents_first:
        due = routes.claimable(route, now)
        if pace is Pace.FRESH:
            due = due.filter(tries=0)
        if not is_cancelled and due.exists() and due.exclude(ceiling.waiting(routes, route, retry)).exists():
            return Run.Trigger.RETRY
        if follows(route) and route.trigger != CHANGE:
            return Run.Trigger.SCHEDULE
        if route.trigger == CHANGE and _has_news(route):
            return Run.Trigger.CHANGE
    return None


def _is_cancelled(target: Target) -> bool:
    """Return whether a person cancelled the newest run: what it left is not tried again before the next sync."""
    return target.runs.values_list("state", flat=True).first() == Run.State.CANCELLED


def _has_news(route: Route) -> bool:
    if route.fingerprint != route.current_fingerprint():
        return True
    try:
        changed = mark.changed_pks(route.declaration.model, route.mark)  # a peer's own too, so that the mark moves on
    except TargetStoppedError:
        return True  # here too, the run will block the target
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS({changed.sql})", changed.params)
        return bool(cursor.fetchone()[0])
