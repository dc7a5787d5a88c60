"""The outcome of a run, in counts and in one sentence."""

from datetime import datetime

from django.db.models import Count, Max, QuerySet

from backoffice.kit import clock
from syncer.models import Attempt, Binding, Run, Target, backlog
from syncer.models.state import UNBLOCKED
from syncer.targets.base import Kind, kind_of


def counts(run: Run) -> dict[str, int]:
    """Count the run's attempts: `{"created": 1, "updated": 0, "deleted": 0, "requests": 2, "failed": 1, "left": 1}`.

    The target's kind names the first counts. `failed` counts the objects whose last exchange in this run was not a
    success; `left` counts those that are still due, with or without an exchange.
    """
    kind = kind_of(run.target)
    done = dict.fromkeys(kind.done.values(), 0)
    rows = run.attempts.filter(outcome=Attempt.Outcome.DONE, action__in=kind.done)
    for row in rows.values("action").annotate(n=Count("pk")):
        done[kind.done[row["action"]]] += row["n"]
    left = backlog.left(run.target, run.scope).count()
    return done | {"requests": kind.requests(run), "failed": failures(run).count(), "left": left}


def failures(run: Run) -> QuerySet[Attempt]:
    """Return each object's last exchange in this run, where it was not a success; newest first."""
    last = run.attempts.values("binding").annotate(last=Max("pk")).values("last")
    return run.attempts.filter(pk__in=last).exclude(outcome=Attempt.Outcome.DONE).select_related("binding__route")


def next_try(target: Target, binding: Binding | None = None) -> datetime | None:
    """Return when the target, or one binding there, is tried again: both have their own waits. None: neither waits."""
    waits = (target.not_before, target.probe_at if target.opened_at else None, binding.not_before if binding else None)
    return max((time for time in waits if time), default=None)


def last_failure(target: Target) -> str:
    """Return why a retried object failed, as a predicate to follow the target's name; empty: none is retried."""
    retrying = backlog.left(target).filter(UNBLOCKED, tries__gt=0).exclude(reason="")
    return retrying.order_by("tries").values_list("reason", flat=True).first() or ""


def sentence(run: Run, counts: dict[str, int]) -> str:
    """Say how the run ended: "Demo remote refused the connection; 1 change is kept, next try in 4 s".

    Args:
        counts: the run's, from the function of that name.
    """
    target = Target.objects.get(pk=run.target_id)
    kind, left = kind_of(target), backlog.left(target, run.scope)
    number = left.filter(UNBLOCKED).count()
    kept = "1 change is kept" if number == 1 else f"{number} changes are kept"
    if target.blocked:
        return f"Blocked: {target.blocked}. Put it right, then sync again; changes are kept."
    if not target.enabled:
        return f"{target} is paused; {kept}."
    is_introduced = kind.is_introduced(target)
    if not left.exists() and is_introduced:
        return _done(kind, counts) or kind.nothing
    first = left.filter(UNBLOCKED, tries__gt=0).order_by("not_before").first()
    if first is not None:
        return f"{target} {first.reason}; {kept}, {_next_try(target, first)}"
    if target.opened_at is not None:
        return f"{target} is unreachable; {kept}, {_next_try(target)}"
    if target.not_before and target.not_before > clock.now():
        return f"{target} asked us to wait; {kept}, {_next_try(target)}"
    if not is_introduced:
        return f"{target} did not answer when this node introduced itself; {kept}, the next try is automatic"
    return f"{_done(kind, counts)} {_blocked(left)}".lstrip()


def _done(kind: Kind, counts: dict[str, int]) -> str:
    words = [f"{counts[word]} {word}" for word in dict.fromkeys(kind.done.values()) if counts[word]]
    return f"{', '.join(words)}." if words else ""


def _next_try(target: Target, binding: Binding | None = None) -> str:
    later = next_try(target, binding)
    seconds = 0 if later is None else max(0, round((later - clock.now()).total_seconds()))
    return f"next try in {seconds} s"


def _blocked(left: QuerySet[Binding]) -> str:
    doubtful = left.filter(in_doubt=True).count()
    rejected = left.exclude(UNBLOCKED).count() - doubtful
    waiting = left.count() - rejected - doubtful
    words = ((rejected, "rejected"), (doubtful, "in doubt"), (waiting, "waiting for another object"))
    return f"Not delivered: {', '.join(f'{number} {word}' for number, word in words if number)}."
