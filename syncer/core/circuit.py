"""The circuit breaker: when a target may be spoken to, from what its answers showed.

Constraints:
- A target that is down costs a handful of requests and objects a try, however much is pending.
- Single faults are no outage. At a share p of faults the first row of five is to be expected after
  (1 - p^5) / (p^5 (1 - p)) requests: 3,900 at 20 %, 29 at 60 %.
- It closes automatically, at the first answer: refused or not, a target that answers works.
- One object that always fails is no outage either, and looks like one while nothing else is due. It may open the
  circuit, but holds up nobody: see `breaker.Pace.FRESH`.

The design: failures in a row are counted, in the order in which the requests ended. The fifth opens the circuit; from
then on one delivery at a time goes out as a probe, after 2, 4, 8 … 60 seconds at most, with full jitter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from backoffice.kit.retry import backoff
from syncer.core.outcome import Outcome, Verdict

FAILURES = 5  # in a row, that open the circuit
PROBE_MOST = 60.0  # seconds


class Shown(Enum):
    """What a verdict shows of the target as a whole."""

    ANSWERED = auto()
    FAILED = auto()
    NEITHER = auto()  # it asked us to wait, or a setting keeps us from asking


@dataclass(frozen=True, kw_only=True)
class Circuit:
    """What a target's row remembers of its answers.

    Attributes:
        not_before: the target asked us to wait until then. throttled: how often in a row it did so.
        failures: in a row, until now.
        opened_at: when there were too many; None: the circuit is closed.
        probe_at: when one delivery is tried. probes: how many of those failed.
    """

    not_before: datetime | None = None
    throttled: int = 0
    failures: int = 0
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    probes: int = 0

    @property
    def is_quiet(self) -> bool:
        """A good answer changes nothing."""
        return self.opened_at is None and self.failures == 0 and self.throttled == 0


def shown(verdict: Verdict) -> Shown:
    """What it shows of the target."""
    if verdict.throttled or verdict.outcome is Outcome.CONFIGURATION:
        return Shown.NEITHER
    is_failure = verdict.outcome in (Outcome.RETRYABLE, Outcome.UNKNOWN)
    return Shown.FAILED if is_failure else Shown.ANSWERED


def in_a_row(failures: int, verdict: Verdict) -> int:
    """The failures in a row after one more verdict."""
    return {Shown.ANSWERED: 0, Shown.FAILED: failures + 1, Shown.NEITHER: failures}[shown(verdict)]


def stops_all(verdict: Verdict) -> bool:
    """Nothing more is to be sent to this target now."""
    return verdict.throttled or verdict.target_waits is not None or verdict.outcome is Outcome.CONFIGURATION


def after(circuit: Circuit, verdicts: Sequence[Verdict], *, probe: bool, now: datetime, jitter: float) -> Circuit:
    """The circuit after these verdicts, which came in this order.

    Args:
        probe: they are a probe's; failures of requests that left before the circuit opened are no failed probes.
        jitter: 0 to 1, draws the waits.
    """
    for verdict in verdicts:
        circuit = _after(circuit, verdict, probe=probe, now=now, jitter=jitter)
        circuit = _waiting(circuit, verdict, now=now, jitter=jitter)
    return circuit


def _after(circuit: Circuit, verdict: Verdict, *, probe: bool, now: datetime, jitter: float) -> Circuit:
    kind = shown(verdict)
    if kind is Shown.ANSWERED:
        return Circuit(not_before=circuit.not_before)
    if kind is Shown.NEITHER:
        # Whoever puts the setting right, or waits until the target may be asked, need not wait for the probe too.
        return replace(circuit, probe_at=now) if circuit.opened_at and probe else circuit
    circuit = replace(circuit, failures=circuit.failures + 1)
    if circuit.opened_at is None and circuit.failures >= FAILURES:
        return replace(circuit, opened_at=now, probe_at=now + _pause(1, jitter))
    if circuit.opened_at is not None and probe:
        failed = circuit.probes + 1
        return replace(circuit, probes=failed, probe_at=now + _pause(failed + 1, jitter))
    return circuit


def _pause(number: int, jitter: float) -> timedelta:
    """Before the probe of this number; the first is 1."""
    return timedelta(seconds=backoff(number, jitter, ceiling=PROBE_MOST))


def _waiting(circuit: Circuit, verdict: Verdict, *, now: datetime, jitter: float) -> Circuit:
    """The target is left alone as long as it asks; for 2, 4, 8 … 3600 seconds at most, if it does not say how long.

    Answers that were under way when the wait began belong to it: they count once.
    """
    if not verdict.throttled and verdict.target_waits is None:
        return circuit
    is_new = circuit.not_before is None or circuit.not_before <= now
    throttled = circuit.throttled + (1 if is_new and verdict.throttled else 0)
    seconds = verdict.target_waits if verdict.target_waits is not None else backoff(max(1, throttled), jitter)
    until = now + timedelta(seconds=seconds)
    if circuit.not_before is not None:
        until = max(until, circuit.not_before)
    return replace(circuit, throttled=throttled, not_before=until)
