import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.core.circuit import FAILURES, PROBE_MOST, Circuit, after, forbidden_most, in_a_row, stops_all
from syncer.core.outcome import Outcome, Verdict

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
GOOD = Verdict(outcome=Outcome.DONE)
BAD = Verdict(outcome=Outcome.UNKNOWN)
THROTTLED = Verdict(outcome=Outcome.RETRYABLE, throttled=True)
WRONG = Verdict(outcome=Outcome.CONFIGURATION)
OPEN = Circuit(failures=FAILURES, opened_at=NOW - 10 * SECOND, probe_at=NOW)
VERDICTS = st.sampled_from([GOOD, BAD, THROTTLED, WRONG])


def seen(circuit, *verdicts, probe=False, jitter=1.0, now=NOW):
    return after(circuit, verdicts, probe=probe, now=now, jitter=jitter)


@pytest.mark.parametrize("outcome", [Outcome.RETRYABLE, Outcome.UNKNOWN])
def test_failures_in_a_row_open_it(outcome):
    bad = Verdict(outcome=outcome)
    assert seen(Circuit(), *[bad] * (FAILURES - 1)).opened_at is None
    opened = seen(Circuit(), *[bad] * FAILURES)
    assert (opened.opened_at, opened.probe_at) == (NOW, NOW + 2 * SECOND)


@pytest.mark.parametrize("outcome", [Outcome.DONE, Outcome.GONE, Outcome.PERMANENT])
def test_any_answer_of_a_working_target_ends_the_row(outcome):
    good = Verdict(outcome=outcome)
    assert seen(Circuit(), *[BAD] * (FAILURES - 1), good, BAD) == Circuit(failures=1)
    assert in_a_row(4, good) == 0


@pytest.mark.parametrize("verdict", [THROTTLED, WRONG])
def test_what_reveals_nothing_of_its_health_neither_counts_nor_ends_the_row(verdict):
    assert seen(Circuit(failures=3), verdict).failures == in_a_row(3, verdict) == 3


def test_single_faults_open_it_hardly_ever():
    draw, circuit, opened = random.Random(1), Circuit(), 0
    for _ in range(100_000):
        circuit = seen(circuit, BAD if draw.random() < 0.2 else GOOD)
        opened += circuit.failures == FAILURES
    assert 15 <= opened <= 35  # 100,000 / 3,905 = 26


def test_the_row_is_counted_over_several_batches():
    circuit = Circuit()
    for _ in range(FAILURES):
        assert circuit.opened_at is None
        circuit = seen(circuit, BAD)
    assert circuit.opened_at == NOW


def test_a_probe_that_fails_is_repeated_later_and_later_up_to_a_minute():
    circuit, waits = OPEN, []
    for _ in range(6):
        circuit = seen(circuit, BAD, probe=True)
        waits.append((circuit.probe_at - NOW) / SECOND)
    assert waits == [4, 8, 16, 32, 60, 60]
    assert (circuit.opened_at, circuit.probes) == (OPEN.opened_at, 6)


def test_what_had_left_before_it_opened_is_not_a_failed_probe():
    assert seen(OPEN, BAD, BAD) == Circuit(failures=FAILURES + 2, opened_at=OPEN.opened_at, probe_at=NOW)


@pytest.mark.parametrize("probe", [True, False])
def test_an_answer_closes_it(probe):
    assert seen(OPEN, GOOD, probe=probe) == Circuit()


@pytest.mark.parametrize("verdict", [THROTTLED, WRONG])
def test_a_probe_that_reveals_nothing_is_repeated_as_soon_as_may_be(verdict):
    taken = Circuit(failures=5, opened_at=NOW - SECOND, probe_at=NOW + 80 * SECOND, probes=2)
    left = seen(taken, verdict, probe=True)
    assert (left.opened_at, left.probe_at, left.probes) == (taken.opened_at, NOW, 2)


@pytest.mark.parametrize("outcome", [Outcome.RETRYABLE, Outcome.UNKNOWN])
def test_the_target_waits_as_long_as_it_asks(outcome):
    asked = Verdict(outcome=outcome, target_waits=90.0)
    assert seen(Circuit(), asked).not_before == NOW + 90 * SECOND
    assert stops_all(asked)


def test_without_a_time_it_waits_longer_each_time():
    circuit, now, waits = Circuit(), NOW, []
    for _ in range(4):
        circuit = seen(circuit, THROTTLED, THROTTLED, now=now)
        waits.append((circuit.not_before - now) / SECOND)
        now = circuit.not_before
    assert waits == [2, 4, 8, 16]
    assert seen(circuit, GOOD, now=now).throttled == 0
    assert stops_all(THROTTLED)


def test_a_wait_is_not_cut_short_by_what_was_under_way():
    waiting = seen(Circuit(), Verdict(outcome=Outcome.RETRYABLE, throttled=True, target_waits=120.0))
    assert seen(waiting, THROTTLED, GOOD).not_before == NOW + 120 * SECOND


@given(st.lists(VERDICTS), st.booleans(), st.floats(0, 1))
def test_an_open_circuit_always_has_a_next_probe_and_a_closed_one_none(verdicts, probe, jitter):
    circuit = after(Circuit(), verdicts, probe=probe, now=NOW, jitter=jitter)
    assert (circuit.opened_at is None) == (circuit.probe_at is None)
    if circuit.probe_at is not None:
        assert NOW <= circuit.probe_at <= NOW + timedelta(seconds=PROBE_MOST)


@given(st.lists(VERDICTS), st.booleans(), st.floats(0, 1))
def test_whatever_was_before_one_answer_is_enough(verdicts, probe, jitter):
    circuit = after(Circuit(), [*verdicts, GOOD], probe=probe, now=NOW, jitter=jitter)
    assert circuit.is_quiet
    assert circuit.probe_at is None


def test_two_different_refusals_are_the_targets_and_five_where_something_succeeded():
    assert forbidden_most(has_succeeded=False) == 2
    assert forbidden_most(has_succeeded=True) == FAILURES
