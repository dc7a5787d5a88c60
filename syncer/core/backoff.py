"""How long to wait before the next try."""

CEILING = 3600.0  # seconds


def backoff(tries: int, jitter: float) -> float:
    """Seconds before the next try, with full jitter: `jitter` (0 to 1) of 2, 4, 8 … 3600 after 1, 2, 3 … failures.

    At least a second, so that a failing target is not hammered. The method is "Full Jitter" of
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    ceiling = CEILING if tries >= 12 else min(CEILING, 2.0**tries)
    return max(1.0, ceiling * jitter)
