"""Delays between tries. Pure: no clock, no framework, no network, so that the engine's core may import it."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

CEILING = 3600.0  # seconds
RETRY_AFTER_MOST = 30 * 24 * 3600  # seconds; a longer wait is a mistake of the server


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
    """Return the seconds that a `Retry-After` asks for (RFC 9110, section 10.2.3: seconds or an HTTP date), or None."""
    value = value.strip()
    if value.isdecimal():
        seconds = float(value)
    else:
        try:
            date = parsedate_to_datetime(value)
        except (ValueError, OverflowError):  # the latter: an offset of 10 ** 12 hours
            return None
        seconds = ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, 0.0), RETRY_AFTER_MOST)


def rate_limit_wait(headers: object, now: datetime) -> float | None:
    return None
