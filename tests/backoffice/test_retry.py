"""When to try again: the waits after failures, and those that a service asks for."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.kit.retry import CEILING, RETRY_AFTER_MOST, backoff, rate_limit_wait, retry_after

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


EPOCH = int(NOW.timestamp())  # seconds
A_MINUTE = {
    "seconds": "60",
    "a fraction": "60.0",
    "a fraction without digits": "60.",
    "spaces": " 60 ",
    "HTTP date": "Thu, 01 Jan 2026 00:01:00 GMT",
    "HTTP date without a zone": "Thu, 01 Jan 2026 00:01:00 -0000",
    "RFC 850 date": "Thursday, 01-Jan-26 00:01:00 GMT",
    "asctime date": "Thu Jan  1 00:01:00 2026",
    "epoch": str(EPOCH + 60),
    "epoch with a fraction": f"{EPOCH + 60}.000",
    "epoch in milliseconds": str((EPOCH + 60) * 1000),
    "ISO 8601": "2026-01-01T00:01:00Z",
    "ISO 8601 with an offset": "2026-01-01T01:01:00+01:00",
    "ISO 8601 without a zone": "2026-01-01 00:01:00",
}
OVER = {
    "zero": "0",
    "a past HTTP date": "Wed, 31 Dec 2025 00:00:00 GMT",
    "a past epoch": str(EPOCH - 1),
    "the earliest epoch": "1000000000",
    "a past epoch in milliseconds": str(EPOCH * 1000 - 1),
    "the earliest epoch in milliseconds": "100000000000",
    "a past ISO 8601 date": "2025-12-31T23:59:59Z",
}
TOO_LONG = {
    "an hour and a second": "3601",
    "30 days": "2592000",
    "the longest duration": "999999999",
    "an epoch in two hours": str(EPOCH + 7200),
    "the latest epoch": "99999999999",
    "milliseconds in two hours": str((EPOCH + 7200) * 1000),
    "microseconds": str(EPOCH * 10**6),
    "30 digits": "9" * 30,
    "10,000 digits": "9" * 10_000,
    "the last HTTP date": "Fri, 31 Dec 9999 23:59:59 GMT",
    "the last ISO 8601 date": "9999-12-31T23:59:59Z",
}
UNREADABLE = {
    "nothing": "",
    "a word": "soon",
    "negative": "-1",
    "an exponent": "1e3",
    "not a number": "nan",
    "infinite": "inf",
    "a unit": "60s",
    "other digits": "\u0666\u0660",
    "two numbers": "60, 60",
    "a far offset": "Thu, 01 Jan 2026 00:01:00 +99999999999999",
    "a far year": "Thu, 01 Jan 99999999999999999999 00:01:00 GMT",
    "no such day": "Thu, 99 Foo 2026 99:99:99 GMT",
}
OTHER_LIMIT = {"ratelimit-remaining": "1", "ratelimit-reset": "9"}


def rows(expected, values):
    return [pytest.param(value, expected, id=name) for name, value in values.items()]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [*rows(60, A_MINUTE), *rows(0, OVER), *rows(RETRY_AFTER_MOST, TOO_LONG), *rows(None, UNREADABLE)],
)
def test_retry_after_is_a_duration_or_a_time_of_at_most_an_hour(value, seconds):
    assert retry_after(value, NOW) == seconds


def test_no_wait_that_a_server_asks_for_is_longer_than_an_hour():
    assert RETRY_AFTER_MOST == 3600


@given(st.text() | st.floats().map(str) | st.integers().map(str) | st.datetimes().map(str))
def test_any_retry_after_is_read_or_not_within_an_hour(value):
    seconds = retry_after(value, NOW)
    assert seconds is None or 0 <= seconds <= RETRY_AFTER_MOST


@pytest.mark.parametrize("reset", A_MINUTE.values(), ids=A_MINUTE)
@pytest.mark.parametrize(
    ("remaining", "reset_name"),
    [
        ("x-ratelimit-remaining", "x-ratelimit-reset"),
        ("x-ratelimit-remaining", "x-ratelimit-reset-after"),
        ("ratelimit-remaining", "ratelimit-reset"),
        ("x-rate-limit-remaining", "x-rate-limit-reset"),
    ],
)
def test_an_exhausted_limit_is_waited_for(remaining, reset_name, reset):
    assert rate_limit_wait({remaining: "0", reset_name: reset}, NOW) == 60
    assert rate_limit_wait({remaining: "1", reset_name: reset}, NOW) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({}, None, id="no headers"),
        pytest.param({"x-ratelimit-reset": "60"}, None, id="a reset alone"),
        pytest.param({"x-ratelimit-remaining": "0"}, None, id="nothing remains, no time"),
        pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, None, id="an unreadable time"),
        pytest.param({"x-ratelimit-remaining": "", "x-ratelimit-reset": "60"}, None, id="an empty number"),
        pytest.param({"x-ratelimit-remaining": "none", "x-ratelimit-reset": "60"}, None, id="a word"),
        pytest.param({"x-ratelimit-remaining": "0.5", "x-ratelimit-reset": "60"}, None, id="a half remains"),
        pytest.param({"x-ratelimit-remaining": "10", "x-ratelimit-reset": "60"}, None, id="ten remain"),
        pytest.param({"x-ratelimit-remaining": "0.0", "x-ratelimit-reset": "60"}, 60, id="zero as a fraction"),
        pytest.param({"x-ratelimit-remaining": " 0 ", "x-ratelimit-reset": "60"}, 60, id="spaces"),
        pytest.param({"x-ratelimit-remaining": "-3", "x-ratelimit-reset": "60"}, 60, id="overdrawn"),
        pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "0"}, 0, id="renewed now"),
        pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH - 5)}, 0, id="renewed already"),
        pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "86400"}, 3600, id="a day"),
        pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH + 86400)}, 3600, id="tomorrow"),
        pytest.param(
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH + 900), "x-ratelimit-reset-after": "1.5"},
            *(1.5,),
            id="seconds before a time, which depends on both clocks",
        ),
        pytest.param(
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "7", "x-ratelimit-reset-after": "?"},
            *(7,),
            id="the readable one of two",
        ),
        pytest.param(
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "5", **OTHER_LIMIT},
            *(5,),
            id="the other limit is not exhausted",
        ),
        pytest.param(
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "5", **OTHER_LIMIT, "ratelimit-remaining": "0"},
            *(9,),
            id="the longer of two exhausted limits",
        ),
    ],
)
def test_a_limit_is_exhausted_if_nothing_remains_and_a_time_is_named(headers, seconds):
    assert rate_limit_wait(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param('"default";r=0;t=30', 30, id="as in the draft"),
        pytest.param('"default";t=30;r=0', 30, id="in the other order"),
        pytest.param('"default"; r=0; t=30; pk=:c2VjcmV0Cg==:', 30, id="with a partition key"),
        pytest.param("default;r=0;t=30", 30, id="a token for a name"),
        pytest.param('"default";r=50;t=30', None, id="something remains"),
        pytest.param('"default";r=0', None, id="no time"),
        pytest.param('"default";t=30', None, id="no number"),
        pytest.param('"default";rest=0;t=30', None, id="another parameter"),
        pytest.param('"minute";r=50;t=30, "day";r=0;t=600', 600, id="one of two is exhausted"),
        pytest.param('"minute";r=0;t=30, "day";r=0;t=600', 600, id="both are exhausted"),
        pytest.param('"day";r=0;t=86400', 3600, id="a day"),
        pytest.param('"a;r=0;t=9, \\";r=0;t=8";r=5;t=30', None, id="parameters in a name"),
        pytest.param('"a, b";r=0;t=30', 30, id="a comma in a name"),
        pytest.param('"unclosed;r=0;t=30', None, id="an unclosed name"),
        pytest.param("", None, id="empty"),
    ],
)
def test_the_structured_rate_limit_header(value, seconds):
    assert rate_limit_wait({"ratelimit": value}, NOW) == seconds


@given(st.dictionaries(st.sampled_from(["ratelimit", "ratelimit-remaining", "ratelimit-reset"]), st.text()))
def test_any_rate_limit_is_read_or_not_within_an_hour(headers):
    seconds = rate_limit_wait({"ratelimit-remaining": "0", **headers}, NOW)
    assert seconds is None or 0 <= seconds <= RETRY_AFTER_MOST
