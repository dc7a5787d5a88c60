"""When to try again. Pure: no clock, no framework, no network, so that the engine's core may ask it too."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

CEILING = 3600.0  # seconds
RETRY_AFTER_MOST = 30 * 24 * 3600  # seconds; a longer wait is a mistake of who asks for it


def backoff(tries: int, jitter: float, *, first: float = 2.0, least: float = 1.0, ceiling: float = CEILING) -> float:
    """Seconds before the next try, with full jitter: `jitter` (0 to 1) of 2, 4, 8 … 3600 after 1, 2, 3 … failures.

    The method is "Full Jitter" of https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/

    Args:
        first: seconds at most after the first failure.
        least: seconds at least, so that a failing service is not hammered.
        ceiling: seconds at most.
    """
    most = ceiling if tries > 30 else min(ceiling, first * 2.0 ** (tries - 1))
    return max(least, most * jitter)


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds to wait by a `Retry-After` (RFC 9110, section 10.2.3: seconds or an HTTP date); None: it says nothing."""
    value = value.strip()
    if value.isdecimal():
        seconds = float(value)
    else:
        try:
            date = parsedate_to_datetime(value)
        except (ValueError, OverflowError):  # the latter: a zone of 10 ** 12 hours
            return None
        seconds = ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, 0.0), RETRY_AFTER_MOST)
