"""The circuit breaker's database side: `core/circuit.py` decides, the target's row remembers.

Workers on several hosts share this row. What the answers show is recorded in the transaction that settles them, with
the row locked for that moment. The turn to probe is taken by a conditional write.
"""

import random
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import cache

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Exists, Q, QuerySet, Value, When
from django.utils import timezone

from backoffice.kit import clock, lease
from backoffice.kit.phrases import Phrase, phrase
from backoffice.kit.statements import Slot, Statement
from syncer.core.circuit import FAILURES, Circuit, Evidence, after, evidence_of, stops_all
from syncer.core.outcome import Outcome, Verdict
from syncer.engine.alerts import health
from syncer.models import Binding, Run, Target
from syncer.models.binding import DUE
from syncer.models.target import TIMEOUT_MOST

SOON = timedelta(seconds=2)  # the longest wait before the first probe: that of a peer that has contacted us
COLUMNS = tuple(field.name for field in fields(Circuit))
PACED_BY = ("enabled", "blocked", "unhealthy_since", *COLUMNS)
LONGEST_REQUEST = 2.0 * TIMEOUT_MOST  # seconds, as `Client.request_seconds` of a target with the longest timeout


class Pace(Enum):
    """What may be sent to a target now."""

    STOP = auto()
    FRESH = auto()  # one delivery, of an object that has not failed: one bad object may have caused every failure
    PROBE = auto()  # one delivery of any object
    GO = auto()


def circuit_of(target: Target) -> Circuit:
    """Return the circuit that the target's row held when it was read."""
    return Circuit(**{name: getattr(target, name) for name in COLUMNS})


def pace(target: Target, run: Run | None = None) -> Pace:
    """Return what `run` may send now, by the target's row read again: each worker uses what others have recorded."""
    rows = _paced_by().run({"pk": target.pk, "run": run.pk if run else 0})
    if not rows:
        return Pace.STOP  # it was deleted
    *columns, is_cancelled = rows[0]
    for name, value in zip(PACED_BY, columns, strict=True):
        setattr(target, name, value)
    if is_cancelled or not target.enabled or target.blocked:
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
    # With at most one failing object and no request in flight, that object may be the only fault.
    failing = Binding.objects.filter(DUE, route__target=target, tries__gt=0)
    return Pace.FRESH if len(failing[:2]) < 2 and not _is_sending(target, now) else Pace.STOP


@cache  # it is asked before each claim
def _paced_by() -> Statement:
    cancelled = Run.objects.filter(pk=Slot("run", Run._meta.pk), cancelled_at__isnull=False)
    return Statement(Target.objects.filter(pk=Slot("pk", Target._meta.pk)).values_list(*PACED_BY, Exists(cancelled)))


def _is_sending(target: Target, now: datetime) -> bool:
    """Return whether a worker holds the claim of a due binding, so that a request may be in flight."""
    return Binding.objects.filter(DUE, route__target=target, lease_until__gt=now).exists()


def take_turn(target: Target, seconds: float) -> datetime | None:
    """Take the turn to probe, comparing the row with what `pace` read; return its end. None: another worker took it."""
    until = clock.now() + timedelta(seconds=seconds)
    is_open = Target.objects.filter(pk=target.pk, opened_at__isnull=False)
    return until if lease.move(is_open, target.probe_at, until, "probe_at") else None


def give_back(target: Target, turn: datetime) -> None:
    """Give back a turn that led to no request: the probe is due when it was before. No effect once an answer came."""
    lease.move(Target.objects.filter(pk=target.pk, opened_at__isnull=False), turn, target.probe_at, "probe_at")


def bring_probe_forward(target: Target, *, wait: timedelta = timedelta(0)) -> None:
    """Make the next probe due after `wait` at most, unless a delivery is in flight: somebody says that it may work."""
    if target.opened_at is None:
        return
    now = clock.now()
    if not _is_sending(target, now):
        Target.objects.filter(pk=target.pk, probe_at__gt=now + wait).update(probe_at=now + wait)


def note(target: Target, verdicts: Sequence[Verdict], *, probe: bool, request_seconds: float) -> bool:
    """Record what the answers showed, in the order in which they came; return whether sending has to stop.

    To be called in the caller's transaction, after its bindings. Writes nothing while the target is healthy and stays
    so. `request_seconds` is the longest that one request can take.
    """
    evidence = [evidence_of(verdict) for verdict in verdicts]
    is_bad = {*evidence} != {Evidence.ANSWERED} or any(verdict.target_waits is not None for verdict in verdicts)
    if not verdicts or not (is_bad or target.unhealthy_since or not circuit_of(target).is_quiet):
        return False
    locked = Target.objects.select_for_update(of=("self",), no_key=True).filter(pk=target.pk).first()
    if locked is None:
        return True
    now = clock.now()
    before = circuit_of(locked)
    circuit = after(before, verdicts, probe=probe, now=now, jitter=random.random())  # noqa: S311 - no secret
    misconfigured = next((verdict for verdict in verdicts if verdict.outcome is Outcome.CONFIGURATION), None)
    if misconfigured is not None:
        block(locked, _of(locked, misconfigured.why), now=now)
    if circuit != before:
        Target.objects.filter(pk=locked.pk).update(**asdict(circuit))
    for name in COLUMNS:
        setattr(target, name, getattr(circuit, name))
    if circuit.opened_at is not None:
        if before.opened_at is None:
            failures = [verdict.why for verdict in verdicts if evidence_of(verdict) is Evidence.FAILED]
            health.became_unhealthy(locked, _of(locked, failures[-1]), now=now)
        # For as long as the circuit is open, its probes alone decide when due bindings are tried.
        clear_backoff(Binding.objects.filter(DUE, route__target=locked), now=now, request_seconds=request_seconds)
    elif why := _long_wait(locked, circuit, verdicts, now):
        health.became_unhealthy(locked, why, now=now)
    elif Evidence.ANSWERED in evidence:
        health.became_healthy(locked, now=now)
    return misconfigured is not None or circuit.opened_at is not None


def _long_wait(target: Target, circuit: Circuit, verdicts: Sequence[Verdict], now: datetime) -> str:
    """Return, as a sentence, that the target asked for a wait of which operators should know; empty if it did not.

    That is one longer than the delay of alerts, or one of several in a row without an answer between them.
    """
    until, asked = circuit.not_before, [verdict for verdict in verdicts if stops_all(verdict)]
    if until is None or until <= now or not asked:
        return ""
    is_long = until - now > timedelta(seconds=settings.ALERT_AFTER_SECONDS)
    if not is_long and circuit.throttled < FAILURES:
        return ""
    return phrase(
        "%(target)s asked us to wait until %(at)s: it %(why)s",
        target=str(target),
        at=timezone.localtime(until),
        why=asked[-1].why,
    )


def _of(target: Target, why: str) -> Phrase:
    """Return the sentence about a target whose predicate is `why`."""
    return phrase("%(target)s %(why)s", target=str(target), why=why)


def block(target: Target, why: str, *, now: datetime) -> None:
    """Stop sending to the target until a person has acted; in the caller's transaction. `why` is a whole sentence."""
    Target.objects.filter(pk=target.pk).update(blocked=why)
    health.became_unhealthy(target, why, now=now)


def clear_backoff(rows: QuerySet[Binding], *, now: datetime, request_seconds: float = LONGEST_REQUEST) -> None:
    """End the backoff of these bindings.

    An unconfirmed one still waits `request_seconds`: no request that is in flight now lasts longer.
    """
    last_arrival = now + timedelta(seconds=request_seconds)
    is_long = Q(unconfirmed=False, not_before__isnull=False) | Q(unconfirmed=True, not_before__gt=last_arrival)
    with transaction.atomic():
        # A locked row is being written by another transaction; waiting for it could be a deadlock.
        unlocked = rows.filter(is_long).select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)
        Binding.objects.filter(pk__in=list(unlocked)).update(
            not_before=Case(When(unconfirmed=True, then=Value(last_arrival)), default=None)
        )
