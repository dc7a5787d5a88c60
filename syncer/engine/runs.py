"""Runs: one sync of one target, from start to report.

Two workers can work on a run at once, and it can be killed at any line and resumed: the bindings say which work is left
and who holds it.
"""

import logging
import time
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce

from backoffice.kit import clock, lease
from backoffice.kit.estimates import Count
from backoffice.kit.logs import about
from backoffice.kit.phrases import Phrase, counted, joined, message_of, phrase
from backoffice.kit.tracing import span
from syncer.core.errors import ForeignMarkError, SyncError, TargetStoppedError
from syncer.engine import breaker, ceiling
from syncer.engine.dispatch import dispatch
from syncer.engine.plan import anchor, plan, plan_chosen, raise_orphans
from syncer.engine.wake import REQUESTED, Scope, enqueue, follows, record_request
from syncer.models import Binding, Route, Run, Target, backlog, mark
from syncer.models.binding import UNBLOCKED
from syncer.models.routemap import RouteMap
from syncer.targets.base import Kind, kind_of

log = logging.getLogger("syncer.engine.runs")
SLICE = 30.0  # seconds; far below the queue's time-out, so that a task is never run twice for being long
PROGRAM_ERROR = phrase("An error in the program ended this run; the worker's log has it.")
OF_A_KIND = "%(number)s %(word)s"


def work_run(pk: int) -> None:
    """Work on a run for a slice of time and enqueue the continuation; the queue's task."""
    run = Run.objects.filter(pk=pk, finished_at=None).select_related("target").first()
    if run is None:
        return
    with about(run=run.pk, target=run.target.name):
        try:
            is_ended = work(run, seconds=SLICE)
        except Exception:
            log.exception("run %s failed", run.pk)
            fail(run)
            return
    if not is_ended:
        enqueue(run)


def run_here(target: Target, *, scope: Scope | None = None) -> Run:
    """Sync a target in this process, to the end; return the finished run."""
    run = Run.objects.create(target=target, trigger=Run.Trigger.COMMAND, state=Run.State.RUNNING, scope=scope)
    record_request(run)
    work(run)
    return run


def work(run: Run, *, seconds: float = float("inf")) -> bool:
    """Do the run, or as much of it as fits into `seconds`; return whether it ended.

    1. Mark it as running: a change from here on requests a run of its own.
    2. Plan: all routes when a person asked, otherwise those that follow changes or are due.
    3. Claim and deliver, parents first, until a whole round finds nothing to do and no other worker holds any of it.
       Each claim checks the target first: it may have been blocked meanwhile, or have stopped answering.
    4. Count the outcomes and close the run.
    """
    until = time.monotonic() + seconds
    if not _begin(run):
        return True
    held = lease.kept_alive(Run.objects.filter(pk=run.pk, finished_at=None))
    with held, span("sync", run=run.pk, target=run.target.name):
        try:
            routes = RouteMap(run.target)
            if run.target.enabled:
                _plan(run, routes)
            is_ended = dispatch(run, routes, until=until)
            ceiling.notify(run)
            if not is_ended:
                return False
        except TargetStoppedError as error:
            _stop(run, error)
        _finish(run)
    return True


def _begin(run: Run) -> bool:
    """Mark the run as running and read it again, since a person may have taken it over.

    Returns:
        False if another worker has ended the run.
    """
    now, is_first = clock.now(), run.started_at is None
    columns = {
        "state": Run.State.RUNNING,
        "started_at": Coalesce("started_at", Value(now)),
        "lease_until": lease.ends(now),
    }
    if not Run.objects.filter(pk=run.pk, finished_at=None).update(**columns):
        return False
    run.refresh_from_db()
    if run.trigger in REQUESTED and is_first:
        # A person who asks has fixed what the target was blocked for; if not, the first answer blocks it again.
        # Nor does a wait go on that the target once asked for: a stranger's number must not outlast a person's.
        Target.objects.filter(pk=run.target_id).update(blocked="", not_before=None)
        run.target.refresh_from_db(fields=["blocked", "not_before"])
        breaker.bring_probe_forward(run.target)
    return True


def _plan(run: Run, routes: RouteMap) -> None:
    """Plan the run's routes and set its total.

    Raises:
        TargetStoppedError: a mark is not this database's, or a route needs a person first.
    """
    _ = routes.database  # from here on it must stay the same one
    mark.check((route.declaration.model, route.mark) for route in routes.parents_first)
    for route in routes.parents_first:
        if why := kind_of(run.target).not_ready(route):
            raise TargetStoppedError(why)
    for route in routes.parents_first:
        anchor(route)
        if run.scope is not None:
            plan_chosen(routes, route, run.scope.get(route.model, []))
        elif run.trigger in REQUESTED:
            plan(routes, route)
            raise_orphans(route)
        elif follows(route):
            plan(routes, route)
    left = Binding.objects.left(run.target, run.scope)
    number = left.count()
    if number and run.trigger in REQUESTED:
        # The timeout may have been shortened since a request left that is still under way.
        breaker.clear_backoff(left, now=clock.now())
    run.total = max(run.total, number)
    Run.objects.filter(pk=run.pk).update(total=run.total)


def _stop(run: Run, error: TargetStoppedError) -> None:
    """Block the target, unless its marks were foreign and somebody has recovered them meanwhile."""
    with transaction.atomic():
        routes = Route.objects.select_for_update(of=("self",), no_key=True).filter(target=run.target).order_by("pk")
        if isinstance(error, ForeignMarkError) and not any(map(backlog.stopped, routes)):
            return
        breaker.block(run.target, message_of(error), now=clock.now())


def _finish(run: Run) -> None:
    """Close the run with its counts and its message, and delete earlier runs that did nothing."""
    target, counts = Target.objects.get(pk=run.target_id), run.counts_now()
    if counts["left"]:
        run.refresh_from_db(fields=["cancelled_at", "cancelled_by"])
    is_undone = bool(counts["left"] or target.blocked or not target.enabled)
    if run.trigger in REQUESTED and not kind_of(target).is_introduced(target):
        is_undone = True
    state = Run.State.FAILED if is_undone else Run.State.DONE
    if run.cancelled_at and counts["left"]:
        state = Run.State.CANCELLED
    _close(run, state, counts, sentence(run, target, counts))
    # Earlier automatic runs that had nothing to do are not worth a row.
    empty = Run.objects.filter(target=target, total=0, attempts=None, finished_at__isnull=False, pk__lt=run.pk)
    empty.exclude(trigger__in=REQUESTED).exclude(state=Run.State.FAILED).delete()


def fail(run: Run) -> None:
    """Close a run that a program error ended, and let the target rest for a lease, so that the error does not loop."""
    later = clock.now() + timedelta(seconds=settings.SYNC_LEASE_SECONDS)
    waits_less = Q(not_before=None) | Q(not_before__lt=later)
    Target.objects.filter(waits_less, pk=run.target_id).update(not_before=later)
    _close(run, Run.State.FAILED, run.counts_now(), PROGRAM_ERROR)


def _close(run: Run, state: Run.State, counts: dict[str, int], message: str) -> None:
    run.state, run.counts, run.message, run.finished_at = state, counts, message, clock.now()
    Run.objects.filter(pk=run.pk).update(
        state=run.state, counts=run.counts, message=run.message, finished_at=run.finished_at
    )


def sentence(run: Run, target: Target, counts: dict[str, int]) -> str:
    """Say how the run ended: "Demo remote refused the connection; 1 change is kept, next try in 4 s"."""
    if target.blocked:
        return phrase("Blocked: %(why)s. Put it right, then sync again; changes are kept.", why=target.blocked)
    kind, left = kind_of(target), Binding.objects.left(target, run.scope)
    is_introduced = kind.is_introduced(target)
    held = on_hold(Binding.objects.held(target, run.scope).count())
    if target.enabled and is_introduced and not counts["left"]:
        return joined([_done(kind, counts) or ("" if held else kind.nothing), held])
    kept = _kept(run, target, left)
    if run.cancelled_at:
        by = phrase("Cancelled by %(user)s;", user=run.cancelled_by)
        return joined([by, _done(kind, counts), phrase("%(kept)s for the next sync.", kept=kept)])
    if not target.enabled:
        return phrase("%(target)s is paused; %(kept)s.", target=str(target), kept=kept)
    deletes = ceiling.waiting_at(target, run)
    asks = ceiling.sentence(deletes)
    first = left.filter(UNBLOCKED, tries__gt=0).order_by("not_before").first()
    if first is not None:
        return joined([_kept_since(target, first.reason, kept, _next_try(target, first)), asks], ". ")
    if target.opened_at is not None:
        return joined([_kept_since(target, phrase("is unreachable"), kept, _next_try(target)), asks], ". ")
    if target.not_before and target.not_before > clock.now():
        return joined([_kept_since(target, phrase("asked us to wait"), kept, _next_try(target)), asks], ". ")
    if not is_introduced:
        why = phrase("did not answer when this node introduced itself")
        return _kept_since(target, why, kept, phrase("the next try is automatic"))
    others = left
    for waiting in deletes:
        others = others.exclude(waiting.condition, route=waiting.route)
    return joined([_done(kind, counts), not_delivered(others), held, asks])


def _kept_since(target: Target, why: str, kept: str, then: str) -> Phrase:
    words = {"target": str(target), "why": why, "kept": kept, "then": then}
    return phrase("%(target)s %(why)s; %(kept)s, %(then)s", **words)


def _kept(run: Run, target: Target, left: QuerySet[Binding]) -> str:
    """Say how many changes wait: "12 changes are kept". Those count too that this run did not plan."""
    try:
        is_planned = run.scope is not None and target.enabled
        number = left.filter(UNBLOCKED).count() if is_planned else backlog.pending_at(target)
    except SyncError:  # the mark of a route can't be read, so that nobody can count
        return phrase("changes are kept")
    shown = number.phrase if isinstance(number, Count) else number
    return counted("%(number)s change is kept", "%(number)s changes are kept", number=number, shown=shown)


def _done(kind: Kind, counts: dict[str, int]) -> str:
    done = [
        phrase(OF_A_KIND, number=counts[word], word=Phrase(word, {}))
        for word in dict.fromkeys(kind.done.values())
        if counts[word]
    ]
    return Phrase("%(done)s.", {"done": joined(done, ", ")}) if done else ""


def _next_try(target: Target, binding: Binding | None = None) -> str:
    later = target.next_try(binding)
    seconds = 0 if later is None else max(0, round((later - clock.now()).total_seconds()))
    return phrase("next try in %(seconds)s s", seconds=seconds)


def on_hold(number: int) -> str:
    """Say how many objects are kept back that would be sent: "1 changed object is on hold."; empty for none."""
    if not number:
        return ""
    return counted("%(number)s changed object is on hold.", "%(number)s changed objects are on hold.", number=number)


def not_delivered(left: QuerySet[Binding]) -> str:
    """Say how many objects could not be delivered: "Not delivered: 1 rejected."."""
    doubtful = left.filter(in_doubt=True).count()
    rejected = left.exclude(UNBLOCKED).count() - doubtful
    waiting = left.count() - rejected - doubtful
    numbers = (
        counted("%(number)s rejected", "%(number)s rejected", number=rejected) if rejected else "",
        counted("%(number)s in doubt", "%(number)s in doubt", number=doubtful) if doubtful else "",
        _waiting(waiting) if waiting else "",
    )
    return phrase("Not delivered: %(numbers)s.", numbers=joined(numbers, ", ")) if any(numbers) else ""


def _waiting(number: int) -> Phrase:
    return counted("%(number)s waiting for another object", "%(number)s waiting for another object", number=number)
