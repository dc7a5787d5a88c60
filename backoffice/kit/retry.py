"""Delays between tries. Pure: no clock, no framework, no network, so that the engine's core may import it."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

CEILING = 3600.0  # seconds
RETRY_AFTER_MOST = 3600  # seconds: a server's mistake must not silence us for longer; then one request asks again
EPOCH_LEAST = 1e9  # from here a number is a time, not a duration: 2001 in seconds, and 31 years
MILLISECONDS_LEAST = 1e11  # from here a time is in milliseconds: 1973; in seconds it would be the year 5138
NUMBER = re.compile(r"\d+(\.\d*)?", re.ASCII)
PREFIXES = ("x-ratelimit", "ratelimit", "x-rate-limit")  # of the headers that describe one limit
QUOTED = re.compile(r'"(?:\\.?|[^"\\])*(?:"|\Z)')  # a text in a structured header (RFC 9651, section 3.3.3)


def backoff(tries: int, jitter: float, *, first: float = 2.0, least: float = 1.0, ceiling: float = CEILING) -> float:
    """Return the seconds before the next try, with full jitter: `jitter` of 2, 4, 8 … 3600 after 1, 2, 3 … failures.

    The method is "Full Jitter" of https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/

    Args:
        tries: failures so far, from 1.
        jitter: a random number from 0 to 1.
        first: maximum seconds after the first failure.
        least: minimum seconds, so that a failing service is not hammered.
        ceiling: maximum seconds after any failure.
    """
    most = ceiling if tries > 30 else min(ceiling, first * 2.0 ** (tries - 1))
    return max(least, most * jitter)


def retry_after(value: str, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` asks for, at most RETRY_AFTER_MOST; None if it can't be read.

    RFC 9110, section 10.2.3, knows seconds and HTTP dates. Servers also send the time at which the wait ends as an
    epoch, in seconds or milliseconds, or in ISO 8601.
    """
    value = value.strip()
    if NUMBER.fullmatch(value):
        seconds = float(value)
        if seconds >= EPOCH_LEAST:
            seconds = (seconds / 1000 if seconds >= MILLISECONDS_LEAST else seconds) - now.timestamp()
    elif (date := _date(value)) is not None:
        seconds = ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()
    else:
        return None
    return min(max(seconds, 0.0), RETRY_AFTER_MOST)


def _date(value: str) -> datetime | None:
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        with suppress(ValueError, OverflowError):  # the latter: an offset of 10 ** 12 hours
            return parse(value)
    return None


def rate_limit_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds until an exhausted rate limit is renewed, at most RETRY_AFTER_MOST.

    A limit is exhausted if nothing remains of it: `X-RateLimit-Remaining: 0` with `X-RateLimit-Reset` or
    `X-RateLimit-Reset-After`, under each of the PREFIXES, or `RateLimit: "default";r=0;t=30`
    (draft-ietf-httpapi-ratelimit-headers, section 4). Of several exhausted limits the longest wait counts.

    Args:
        headers: by lower-case names.

    Returns:
        None if no limit is exhausted, or none of the exhausted ones names a time.
    """
    times = []
    for prefix in PREFIXES:
        if _is_exhausted(headers.get(f"{prefix}-remaining", "")):
            # Seconds before a time: the latter depends on both clocks.
            waits = (retry_after(headers.get(f"{prefix}-{name}", ""), now) for name in ("reset-after", "reset"))
            times.append(next((wait for wait in waits if wait is not None), None))
    for limit in QUOTED.sub("", headers.get("ratelimit", "")).split(","):
        parameters = dict(re.findall(r";\s*(\w+)\s*=\s*([^;\s]*)", limit))
        if _is_exhausted(parameters.get("r", "")):
            times.append(retry_after(parameters.get("t", ""), now))
    return max((time for time in times if time is not None), default=None)


def _is_exhausted(remaining: str) -> bool:
    with suppress(ValueError):
        return float(remaining) <= 0
    return False
