"""When a host's chores are due: they find work without a task, and what only time makes due."""

import time
from collections.abc import Callable
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from backoffice.kit.jobs.models import Job
from syncer.engine.worker.commits import Commits
from syncer.models import Alert, Binding, Route, Run, Target
from syncer.models.binding import DUE, UNBLOCKED
from syncer.models.route import CHANGE

IDLE = 5.0  # seconds between two sweeps while nothing waits: schedules, rows to prune, what was not announced


class Sweeps:
    """Calls `sweep` in each round while something waits for a time, else every IDLE seconds.

    An idle worker would otherwise spend most of its time on finding nothing.
    """

    def __init__(self, sweep: Callable[[], object]) -> None:
        self._sweep = sweep
        self._commits = Commits()
        self._something_waits = True
        self._swept_at = -IDLE

    def do(self) -> None:
        if self._commits.have_come():
            self._something_waits = self._something_waits or something_waits()
        if self._something_waits or time.monotonic() - self._swept_at >= IDLE:
            self._something_waits = True  # also if the sweep fails
            self._sweep()
            self._swept_at = time.monotonic()
            self._something_waits = something_waits()


def something_waits() -> bool:
    """Return whether something is open, or may become due at a time though nothing is committed until then."""
    sql, params = _conditions()
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return bool(cursor.fetchone()[0])


@cache
def _conditions() -> tuple[str, list[Any]]:
    """Return one statement for all conditions; kept, because to write it takes Django longer than to ask it."""
    free = Target.objects.filter(enabled=True, blocked="")
    rows: tuple[QuerySet[Any], ...] = (
        Run.objects.filter(state__in=Run.OPEN),
        Job.objects.filter(finished_at=None),
        Alert.objects.filter(outcome=Alert.Outcome.OPEN),
        free.filter(Q(not_before__isnull=False) | Q(opened_at__isnull=False)),
        Route.objects.filter(enabled=True, trigger=CHANGE, mark="", target__in=free),  # never planned
        Binding.objects.filter(DUE, UNBLOCKED, route__enabled=True, route__target__in=free),
    )
    parts = [queryset.order_by().values("pk").query.sql_with_params() for queryset in rows]
    return "SELECT " + " OR ".join(f"EXISTS({sql})" for sql, _ in parts), [value for _, ps in parts for value in ps]
