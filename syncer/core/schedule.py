"""When a route syncs: the words of its trigger."""

import re
from datetime import timedelta

CHANGE = "change"
MANUAL = "manual"
UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}  # seconds
EVERY = re.compile(r"every (?:([1-9]\d{0,4}) )?(second|minute|hour|day)s?")


def interval(trigger: str) -> timedelta | None:
    """The time between two syncs: `every 5 minutes` is 300 s; None for `change` and `manual`.

    Raises:
        ValueError: `trigger` is not one of the three.
    """
    if trigger in (CHANGE, MANUAL):
        return None
    found = EVERY.fullmatch(trigger)
    if not found:
        raise ValueError(
            f"{trigger!r} is not a trigger: give 'change', 'manual', or an interval such as 'every 5 minutes'."
        )
    return timedelta(seconds=int(found[1] or 1) * UNITS[found[2]])
