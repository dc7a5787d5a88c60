"""The circuit breaker: decides from a target's answers when requests may be sent to it.

Constraints:
- A target that is down costs a handful of requests and objects per try, however much is pending.
- Isolated faults are not an outage. At a fault rate p the first five failures in a row are expected after
  (1 - p^5) / (p^5 (1 - p)) requests: 3,900 at 20 %, 29 at 60 %.
- The circuit closes automatically at the first answer: a target that answers, even with a refusal, works.
- One object that always fails is not an outage either, but looks like one while nothing else is due. It may open the
  circuit, but delays no other object: see `breaker.Pace.FRESH`.

Design: consecutive failures are counted in the order in which the requests ended. The fifth opens the circuit; from
then on one delivery at a time is sent as a probe, after 2, 4, 8 … 60 seconds at most, with full jitter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from backoffice.kit.retry import backoff
from syncer.core.outcome import Outcome, Verdict

FAILURES = 5  # in a row, that open the circuit
PROBE_MOST = 60.0  # seconds between two probes


class Evidence(Enum):
    """What one verdict shows of the target as a whole."""

    ANSWERED = auto()
    FAILED = auto()
    NEITHER = auto()  # the target asked us to wait, or a setting prevented the request


@dataclass(frozen=True, kw_only=True)
class Circuit:
    """The columns of a target in which its recent answers are remembered."""

    not_before: datetime | None = None  # until when the target asked us to wait
    throttled: int = 0  # how many times in a row it asked
    failures: int = 0  # in a row
    opened_at: datetime | None = None  # None while the circuit is closed
    probe_at: datetime | None = None  # when the next probe may be sent
    probes: int = 0  # that failed since the circuit opened

    @property
    def is_quiet(self) -> bool:
        """Whether a successful answer would change nothing."""
        return self.opened_at is None and self.failures == 0 and self.throttled == 0


def evidence_of(verdict: Verdict) -> Evidence:
    if verdict.throttled or verdict.outcome is Outcome.CONFIGURATION:
        return Evidence.NEITHER
    is_failure = verdict.outcome in (Outcome.RETRYABLE, Outcome.UNKNOWN)
    return Evidence.FAILED if is_failure else Evidence.ANSWERED


def in_a_row(failures: int, verdict: Verdict) -> int:
    return {Evidence.ANSWERED: 0, Evidence.FAILED: failures + 1, Evidence.NEITHER: failures}[evidence_of(verdict)]


def forbidden_most(*, has_succeeded: bool) -> int:
    """Return how many different objects may be refused in a row before the refusal counts as the target's.

    A firewall dislikes a text here and there; a credential without the permission refuses everything.
    """
    return FAILURES if has_succeeded else 2


def stops_all(verdict: Verdict) -> bool:
    """Return whether nothing more may be sent to this target for now."""
    return verdict.throttled or verdict.target_waits is not None or verdict.outcome is Outcome.CONFIGURATION


def after(circuit: Circuit, verdicts: Sequence[Verdict], *, probe: bool, now: datetime, jitter: float) -> Circuit:
    """Return the circuit after these verdicts, which come in the order in which the requests ended.

    Args:
        probe: a request that left before the circuit opened is not a probe, and its failure not a failed one.
        jitter: from 0 to 1; scales the waits.
    """
    for verdict in verdicts:
        circuit = _after(circuit, verdict, probe=probe, now=now, jitter=jitter)
        circuit = _waiting(circuit, verdict, now=now, jitter=jitter)
    return circuit


def _after(circuit: Circuit, verdict: Verdict, *, probe: bool, now: datetime, jitter: float) -> Circuit:
    """Count the failure, the success or the failed probe."""
    evidence = evidence_of(verdict)
    if evidence is Evidence.ANSWERED:
        return Circuit(not_before=circuit.not_before)
    if evidence is Evidence.NEITHER:
        # Once the setting is corrected, or the requested wait is over, nobody should have to wait for the probe too.
        return replace(circuit, probe_at=now) if circuit.opened_at and probe else circuit
    circuit = replace(circuit, failures=circuit.failures + 1)
    opens = circuit.opened_at is None and circuit.failures >= FAILURES
    if not opens and not (circuit.opened_at and probe):
        return circuit
    failed = 0 if opens else circuit.probes + 1
    pause = timedelta(seconds=backoff(failed + 1, jitter, ceiling=PROBE_MOST))
    return replace(circuit, opened_at=circuit.opened_at or now, probes=failed, probe_at=now + pause)


def _waiting(circuit: Circuit, verdict: Verdict, *, now: datetime, jitter: float) -> Circuit:
    """Wait for as long as the target asks; for 2, 4, 8 … 3600 seconds at most if it does not say how long.

    Several requests that were in flight when the wait began count as one throttling.
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
