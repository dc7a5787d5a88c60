"""Runs: one sync of one target, from its beginning to the report.

A run can be worked on twice at once, killed at any line and taken up again: which work there is, and who holds it,
lives in the bindings.
"""

import time
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, Value
from django.db.models.functions import Coalesce

from backoffice.kit import clock
from syncer.core.errors import TargetStoppedError
from syncer.engine import breaker, summary
from syncer.engine.asking import ASKED, Scope, follows
from syncer.engine.dispatch import send
from syncer.engine.plan import anchor, plan, raise_keys
from syncer.models import Run, Target, backlog, mark
from syncer.models.routemap import RouteMap
from syncer.targets.peer.matching import not_matched


def run_here(target: Target, *, scope: Scope | None = None) -> Run:
    """A sync by this very process, to its end."""
    run = Run.objects.create(
        target=target, trigger=Run.Trigger.COMMAND, state=Run.State.RUNNING, scope=scope, heartbeat_at=clock.now()
    )
    work(run)
    return run


def work(run: Run, *, seconds: float = float("inf")) -> bool:
    """Do the run, or as much of it as fits into `seconds`; whether it ended.

    1. Say that it runs: a change from here on asks for a run of its own.
    2. Plan: all routes when a person asked, else those that follow changes or are due.
    3. Claim and deliver, parents first, until a whole pass finds nothing to do and nobody else is at it. Before each
       claim the target is looked at: it may have been blocked meanwhile, or have stopped answering.
    4. Count what became of it.
    """
    until = time.monotonic() + seconds
    if not _begin(run):
        return True
    try:
        routes = RouteMap(run.target)
        if run.target.enabled:
            _plan(run, routes)
    except TargetStoppedError as error:
        with transaction.atomic():
            breaker.block(run.target, str(error), now=clock.now())
    else:
        if not send(run, routes, until=until):
            return False
    _finish(run)
    return True


def _begin(run: Run) -> bool:
    """Whether there is anything to do: another worker may have ended the run, or a person may have made it theirs."""
    now = clock.now()
    is_open = Run.objects.filter(pk=run.pk, finished_at=None)
    if not is_open.update(state=Run.State.RUNNING, started_at=Coalesce("started_at", Value(now)), heartbeat_at=now):
        return False
    run.refresh_from_db()
    if run.trigger in ASKED:
        # Whoever asks has put right what the target was blocked for; if not, the first answer pauses it again.
        Target.objects.filter(pk=run.target_id).update(blocked="")
        breaker.probe_now(run.target)
    return True


def _plan(run: Run, routes: RouteMap) -> None:
    mark.check((route.declaration.model, route.mark) for route in routes.parents_first)
    not_matched.refuse(routes.parents_first)
    for route in routes.parents_first:
        anchor(route)
        if run.scope is not None:
            raise_keys(route, run.scope.get(route.model, []))
        elif run.trigger in ASKED or follows(route):
            plan(routes, route)
    left = backlog.left(run.target, run.scope)
    if run.trigger in ASKED:
        breaker.clear_backoff(left)
    run.total = max(run.total, left.count())
    Run.objects.filter(pk=run.pk).update(total=run.total)


def _finish(run: Run) -> None:
    """Close the run with its numbers."""
    target = Target.objects.get(pk=run.target_id)
    undone = backlog.left(target, run.scope).exists() or target.blocked or not target.enabled
    undone = undone or (run.trigger in ASKED and not summary.is_known_to(target))
    _close(run, Run.State.FAILED if undone else Run.State.DONE, summary.sentence(run))
    # Earlier runs that nobody asked for and that had nothing to do are not worth a row.
    empty = Run.objects.filter(target=target, total=0, attempts=None, finished_at__isnull=False, pk__lt=run.pk)
    empty.exclude(trigger__in=ASKED).exclude(state=Run.State.FAILED).delete()


def fail(run: Run) -> None:
    """Close a run that an error of the program ended; the target rests for a while, so that it does not go on so."""
    later = clock.now() + timedelta(seconds=settings.SYNC_LEASE_SECONDS)
    is_sooner = Q(not_before=None) | Q(not_before__lt=later)
    Target.objects.filter(is_sooner, pk=run.target_id).update(not_before=later)
    _close(run, Run.State.FAILED, "An error in the program ended this run; the worker's log has it.")


def _close(run: Run, state: Run.State, message: str) -> None:
    run.state, run.counts, run.message, run.finished_at = state, summary.counts(run), message[:512], clock.now()
    Run.objects.filter(pk=run.pk).update(
        state=run.state, counts=run.counts, message=run.message, finished_at=run.finished_at
    )
