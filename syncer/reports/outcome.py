"""What became of a run, in numbers and in one sentence."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Max

from backoffice.kit import clock
from syncer.delivery.claim import NOT_ASIDE
from syncer.models import Attempt, Binding, Run, Target
from syncer.reports import status

PAST = {"create": "created", "replay": "created", "update": "updated", "delete": "deleted"}


def counts(run: Run) -> dict[str, int]:
    """What the run's attempts say: `{"created": 1, "updated": 0, "deleted": 0, "requests": 2, "failed": 1, "left": 1}`.

    `failed` counts the objects whose last exchange in this run was not a success; `left` those that are still due,
    with or without an exchange.
    """
    done = dict.fromkeys(PAST.values(), 0)
    rows = run.attempts.filter(outcome=Attempt.Outcome.DONE, action__in=PAST).values("action").annotate(n=Count("pk"))
    for row in rows:
        done[PAST[row["action"]]] += row["n"]
    left = status.left(run.target, run.scope).count()
    return done | {"requests": run.attempts.count(), "failed": failures(run).count(), "left": left}


def failures(run: Run) -> Any:
    """The last exchange in this run with each object, where it was not a success; newest first."""
    last = run.attempts.values("binding").annotate(last=Max("pk")).values("last")
    return run.attempts.filter(pk__in=last).exclude(outcome=Attempt.Outcome.DONE).select_related("binding__route")


def next_try(target: Target, binding: Binding | None = None) -> datetime | None:
    """When the target, or one object there, is tried again: both have waits of their own. None: nothing waits."""
    waits = (target.not_before, target.probe_at if target.opened_at else None, binding.not_before if binding else None)
    return max((time for time in waits if time), default=None)


def last_failure(target: Target) -> str:
    """Why something that is tried again failed, a predicate that reads on from the target's name; empty: none did."""
    failing = status.left(target).filter(NOT_ASIDE, tries__gt=0).exclude(reason="")
    return failing.order_by("tries").values_list("reason", flat=True).first() or ""


def sentence(run: Run) -> str:
    """How the run ended: "Demo remote refused the connection; 1 change is kept, next try in 4 s"."""
    target = Target.objects.get(pk=run.target_id)
    left = status.left(target, run.scope)
    kept = _kept(left.filter(NOT_ASIDE).count())
    if target.paused:
        return f"Paused: {target.paused}. Put it right, then sync again; changes are kept."
    if not target.enabled:
        return f"{target} is switched off; {kept}."
    if not left.exists():
        return _done(counts(run)) or "Nothing to send: the target holds what we hold."
    failing = left.filter(NOT_ASIDE, tries__gt=0)
    first = failing.order_by("not_before").first()
    if first is not None:
        return f"{target} {first.reason}; {kept}, {_next_try(target, first)}"
    if target.opened_at is not None:
        return f"{target} is not answering; {kept}, {_next_try(target)}"
    if target.not_before and target.not_before > clock.now():
        return f"{target} asked us to wait; {kept}, {_next_try(target)}"
    return f"{_done(counts(run))} {_aside(left)}".lstrip()


def _done(found: dict[str, int]) -> str:
    words = [f"{found[word]} {word}" for word in dict.fromkeys(PAST.values()) if found[word]]
    return f"{', '.join(words)}." if words else ""


def _kept(number: int) -> str:
    return "1 change is kept" if number == 1 else f"{number} changes are kept"


def _next_try(target: Target, binding: Binding | None = None) -> str:
    later = next_try(target, binding)
    seconds = 0 if later is None else max(0, round((later - clock.now()).total_seconds()))
    return f"next try in {seconds} s"


def _aside(left: Any) -> str:
    parked = left.exclude(NOT_ASIDE).filter(in_doubt=False).count()
    doubtful = left.filter(in_doubt=True).count()
    waiting = left.count() - parked - doubtful
    words = [
        f"{number} {word}"
        for number, word in ((parked, "parked"), (doubtful, "in doubt"), (waiting, "waiting for another object"))
        if number
    ]
    return f"Not delivered: {', '.join(words)}."
