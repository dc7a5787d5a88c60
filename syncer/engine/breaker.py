"""The circuit breaker's side of the database: `core/circuit.py` decides, the target's row remembers.

Several workers, on several hosts, use one row: what answers showed is noted in the transaction that settles them, the
row locked for that moment; whose turn a probe is, is a conditional write.
"""

import random
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from enum import Enum, auto

from django.db import transaction
from django.db.models import QuerySet

from backoffice.kit import clock, lease
from syncer.core.circuit import Circuit, Shown, after, shown
from syncer.core.outcome import Outcome, Verdict
from syncer.core.settle import REASON_LENGTH
from syncer.engine.alerts import health
from syncer.models import Binding, Target
from syncer.models.state import DUE

SOON = timedelta(seconds=2)  # as long as the first probe waits at most
COLUMNS = tuple(field.name for field in fields(Circuit))


class Pace(Enum):
    """What may be sent to a target now."""

    STOP = auto()
    FRESH = auto()  # one delivery, of an object that has not failed: all failures may be one object's own fault
    PROBE = auto()  # one delivery
    GO = auto()


def circuit_of(target: Target) -> Circuit:
    """What its row remembered when it was read."""
    return Circuit(**{name: getattr(target, name) for name in COLUMNS})


def pace(target: Target) -> Pace:
    """What may be sent now. Reads the target's row again, so that every worker goes by what any other found out."""
    target.refresh_from_db(fields=["enabled", "blocked", "unhealthy_since", *COLUMNS])
    if not target.enabled or target.blocked:
        return Pace.STOP
    if target.not_before is None and target.opened_at is None:
        return Pace.GO
    now = clock.now()
    if target.not_before is not None and target.not_before > now:
        return Pace.STOP
    if target.opened_at is None:
        return Pace.GO
    if target.probe_at is None or target.probe_at <= now:
        return Pace.PROBE
    return Pace.FRESH if _may_be_one_objects_fault(target, now) else Pace.STOP


def _may_be_one_objects_fault(target: Target, now: datetime) -> bool:
    """At most one object is failing, and nothing is under way."""
    failing = Binding.objects.filter(DUE, route__target=target, tries__gt=0)
    return len(failing[:2]) < 2 and not _is_sending(target, now)


def _is_sending(target: Target, now: datetime) -> bool:
    return Binding.objects.filter(DUE, route__target=target, lease_until__gt=now).exists()


def take_turn(target: Target, seconds: float) -> datetime | None:
    """Take the turn to probe, by the row as `pace` read it; until when it is ours. None: another was quicker."""
    until = clock.now() + timedelta(seconds=seconds)
    is_open = Target.objects.filter(pk=target.pk, opened_at__isnull=False)
    return until if lease.move(is_open, target.probe_at, until, "probe_at") else None


def give_back(target: Target, turn: datetime) -> None:
    """Nothing came of the turn: the probe is due when it was before. Without effect where an answer came."""
    lease.move(Target.objects.filter(pk=target.pk, opened_at__isnull=False), turn, target.probe_at, "probe_at")


def probe_now(target: Target) -> None:
    """A person asks: the next probe is due, unless one is under way."""
    now = clock.now()
    if not _is_sending(target, now):
        Target.objects.filter(pk=target.pk, probe_at__gt=now).update(probe_at=now)


def probe_soon(target: Target) -> None:
    """It spoke to us, as only peers do: the next probe is soon, unless one is under way."""
    if target.opened_at is None:
        return
    now = clock.now()
    if not _is_sending(target, now):
        Target.objects.filter(pk=target.pk, probe_at__gt=now + SOON).update(probe_at=now + SOON)


def note(target: Target, verdicts: Sequence[Verdict], *, probe: bool, request_seconds: float) -> bool:
    """Note what the answers showed, in the caller's transaction and after its bindings; whether nothing may follow.

    While all is well, nothing is written.
    """
    is_bad = any(shown(verdict) is not Shown.ANSWERED or verdict.target_waits is not None for verdict in verdicts)
    if not verdicts or not (is_bad or target.unhealthy_since or not circuit_of(target).is_quiet):
        return False
    locked = Target.objects.select_for_update(of=("self",), no_key=True).filter(pk=target.pk).first()
    if locked is None:
        return True
    now = clock.now()
    before = circuit_of(locked)
    now_is = after(before, verdicts, probe=probe, now=now, jitter=random.random())  # noqa: S311 - no secret
    wrong = next((one for one in verdicts if one.outcome is Outcome.CONFIGURATION), None)
    if wrong is not None:
        block(locked, f"{locked} {wrong.why}", now=now)
    if now_is != before:
        Target.objects.filter(pk=locked.pk).update(**asdict(now_is))
    for name in COLUMNS:
        setattr(target, name, getattr(now_is, name))
    if now_is.opened_at is not None:
        if before.opened_at is None:
            health.became_unhealthy(locked, f"{locked} {_last_failure(verdicts)}", now=now)
        _clear_backoff_of_due(locked, now, request_seconds)
    elif any(shown(verdict) is Shown.ANSWERED for verdict in verdicts):
        health.became_healthy(locked, now=now)
    return wrong is not None or now_is.opened_at is not None


def block(target: Target, why: str, *, now: datetime) -> None:
    """Nothing is sent until a person has looked; in the caller's transaction. `why` is a whole sentence."""
    Target.objects.filter(pk=target.pk).update(blocked=why[:REASON_LENGTH])
    health.became_unhealthy(target, why, now=now)


def _last_failure(verdicts: Sequence[Verdict]) -> str:
    return next((one.why for one in reversed(verdicts) if shown(one) is Shown.FAILED), "")


def clear_backoff(rows: "QuerySet[Binding]") -> None:
    """Let these not sit out their backoff. An unknown outcome must still be waited for."""
    _reset(rows.filter(unconfirmed=False, not_before__isnull=False), None)


def _clear_backoff_of_due(target: Target, now: datetime, request_seconds: float) -> None:
    """While the circuit is open its own clock is the only one; after `request_seconds` any straggler has died."""
    due = Binding.objects.filter(DUE, route__target=target)
    dead = now + timedelta(seconds=request_seconds)
    clear_backoff(due)
    _reset(due.filter(unconfirmed=True, not_before__gt=dead), dead)


def _reset(rows: "QuerySet[Binding]", not_before: datetime | None) -> None:
    with transaction.atomic():
        # Those that are locked are being written just now; waiting for them could be waiting in a circle.
        found = rows.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)
        Binding.objects.filter(pk__in=list(found)).update(not_before=not_before)
