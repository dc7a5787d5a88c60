"""When to try again: the waits after failures, and those that a service asks for."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.kit.retry import CEILING, RETRY_AFTER_MOST, backoff, retry_after

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tries", "jitter", "seconds"),
    [
        pytest.param(1, 1.0, 2, id="2 ** 1"),
        pytest.param(2, 1.0, 4, id="2 ** 2"),
        pytest.param(11, 1.0, 2048, id="2 ** 11"),
        pytest.param(12, 1.0, 3600, id="2 ** 12 is above the ceiling"),
        pytest.param(10_000, 1.0, 3600, id="no overflow"),
        pytest.param(3, 0.5, 4, id="half of 8"),
        pytest.param(3, 0.0, 1, id="never less than a second"),
    ],
)
def test_backoff_doubles_up_to_an_hour(tries, jitter, seconds):
    assert backoff(tries, jitter) == seconds


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_backoff_stays_in_its_bounds(tries, jitter):
    assert 1 <= backoff(tries, jitter) <= CEILING


def test_the_first_wait_and_the_least_can_be_chosen():
    assert [backoff(tries, 1.0, first=0.5, least=0.0) for tries in (1, 2, 3)] == [0.5, 1, 2]
    assert backoff(3, 0.0, first=0.5, least=0.0) == 0


def test_the_ceiling_can_be_chosen():
    assert [backoff(tries, 1.0, ceiling=60) for tries in (5, 6, 7, 10_000)] == [32, 60, 60, 60]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", None),
        ("soon", None),
        ("-1", None),
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("9" * 30, RETRY_AFTER_MOST),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60),
        ("Thu, 01 Jan 2026 00:01:00 -0000", 60),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0),
        ("9" * 10_000, RETRY_AFTER_MOST),
        ("Fri, 31 Dec 9999 23:59:59 GMT", RETRY_AFTER_MOST),
        ("Thu, 01 Jan 2026 00:01:00 +99999999999999", None),
        ("Thu, 01 Jan 99999999999999999999 00:01:00 GMT", None),
        ("Thu, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    assert retry_after(value, NOW) == seconds
