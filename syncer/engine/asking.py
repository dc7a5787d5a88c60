"""Asking for runs, and whether a route syncs by itself; doing them is for `runs`."""

from typing import Any

from django.db import IntegrityError, transaction

from backoffice.kit import clock
from syncer.core.schedule import CHANGE, interval
from syncer.models import Route, Run, Target

ASK_TRIES = 10
ASKED = (Run.Trigger.MANUAL, Run.Trigger.COMMAND)
Scope = dict[str, list[str]]  # {"news.Post": ["1", "2"]}


def ask(*, target: Target, trigger: Run.Trigger, user: Any = None, scope: Scope | None = None) -> tuple[Run, bool]:
    """A run for a worker to do, and whether it is new: of unscoped ones at most one a target waits.

    A person who asks while one waits by itself makes it theirs, so that it plans all routes.
    """
    if scope is not None:
        return _queued(target, trigger, user, scope), True
    for _ in range(ASK_TRIES):
        try:
            with transaction.atomic():
                return _queued(target, trigger, user, scope), True
        except IntegrityError as error:
            failure = error
        waiting = Run.objects.filter(target=target, state=Run.State.QUEUED, scope__isnull=True)
        if trigger in ASKED:
            waiting.exclude(trigger__in=ASKED).update(trigger=trigger, user=user)
        if found := waiting.first():
            return found, False
        # A worker took it between the two statements: ask anew.
    raise failure


def _queued(target: Target, trigger: Run.Trigger, user: Any, scope: Scope | None) -> Run:
    return Run.objects.create(target=target, trigger=trigger, user=user, scope=scope, heartbeat_at=clock.now())


def follows(route: Route) -> bool:
    """The route syncs by itself, and now."""
    pause = interval(route.trigger)
    if pause is None:
        return route.trigger == CHANGE
    return route.planned_at is None or route.planned_at + pause <= clock.now()
