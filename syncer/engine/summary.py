"""What became of a run, in numbers and in one sentence."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Max

from backoffice.kit import clock
from syncer.models import Attempt, Binding, Run, Target, backlog
from syncer.models.binding import NOT_BLOCKED
from syncer.targets.peer import identity

PAST = {"create": "created", "replay": "created", "update": "updated", "delete": "deleted"}
PUSHED = {"push": "handed over"}
NOTHING = "Nothing to send: the target holds what we hold."
NO_NEWS = "Nothing to send: the peer has seen all that was edited here."


def counts(run: Run) -> dict[str, int]:
    """What the run's attempts say: `{"created": 1, "updated": 0, "deleted": 0, "requests": 2, "failed": 1, "left": 1}`.

    Of a peer: `{"handed over": 500, "requests": 1, …}`. `failed` counts the objects whose last exchange in this run was
    not a success; `left` those that are still due, with or without an exchange.
    """
    past = _past(run)
    done = dict.fromkeys(past.values(), 0)
    rows = run.attempts.filter(outcome=Attempt.Outcome.DONE, action__in=past).values("action").annotate(n=Count("pk"))
    for row in rows:
        done[past[row["action"]]] += row["n"]
    left = backlog.left(run.target, run.scope).count()
    return done | {"requests": _requests(run), "failed": failures(run).count(), "left": left}


def _past(run: Run) -> dict[str, str]:
    return PUSHED if run.target.is_peer else PAST


def _requests(run: Run) -> int:
    """Each object of a batch has an attempt of its own, with the time at which the batch left."""
    return run.attempts.values("at").distinct().count() if run.target.is_peer else run.attempts.count()


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
    failing = backlog.left(target).filter(NOT_BLOCKED, tries__gt=0).exclude(reason="")
    return failing.order_by("tries").values_list("reason", flat=True).first() or ""


def sentence(run: Run) -> str:
    """How the run ended: "Demo remote refused the connection; 1 change is kept, next try in 4 s"."""
    target = Target.objects.get(pk=run.target_id)
    left = backlog.left(target, run.scope)
    kept = _kept(left.filter(NOT_BLOCKED).count())
    if target.blocked:
        return f"Blocked: {target.blocked}. Put it right, then sync again; changes are kept."
    if not target.enabled:
        return f"{target} is paused; {kept}."
    if not left.exists() and is_known_to(target):
        return _done(counts(run)) or (NO_NEWS if target.is_peer else NOTHING)
    failing = left.filter(NOT_BLOCKED, tries__gt=0)
    first = failing.order_by("not_before").first()
    if first is not None:
        return f"{target} {first.reason}; {kept}, {_next_try(target, first)}"
    if target.opened_at is not None:
        return f"{target} is unreachable; {kept}, {_next_try(target)}"
    if target.not_before and target.not_before > clock.now():
        return f"{target} asked us to wait; {kept}, {_next_try(target)}"
    if not is_known_to(target):
        return f"{target} did not answer when it was told who we are; {kept}, next try by itself"
    return f"{_done(counts(run))} {_aside(left)}".lstrip()


def is_known_to(target: Target) -> bool:
    """Nothing is sent to a peer that does not know our incarnation."""
    return not target.is_peer or target.acknowledged_writer == identity.writer()


def _done(found: dict[str, int]) -> str:
    words = [f"{found[word]} {word}" for word in dict.fromkeys([*PAST.values(), *PUSHED.values()]) if found.get(word)]
    return f"{', '.join(words)}." if words else ""


def _kept(number: int) -> str:
    return "1 change is kept" if number == 1 else f"{number} changes are kept"


def _next_try(target: Target, binding: Binding | None = None) -> str:
    later = next_try(target, binding)
    seconds = 0 if later is None else max(0, round((later - clock.now()).total_seconds()))
    return f"next try in {seconds} s"


def _aside(left: Any) -> str:
    rejected = left.exclude(NOT_BLOCKED).filter(in_doubt=False).count()
    doubtful = left.filter(in_doubt=True).count()
    waiting = left.count() - rejected - doubtful
    words = [
        f"{number} {word}"
        for number, word in ((rejected, "rejected"), (doubtful, "in doubt"), (waiting, "waiting for another object"))
        if number
    ]
    return f"Not delivered: {', '.join(words)}."
