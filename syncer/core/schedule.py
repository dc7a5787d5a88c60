"""The triggers of a route: `change`, `manual`, or an interval such as `every 5 minutes`."""

import re
from datetime import timedelta

CHANGE = "change"
MANUAL = "manual"
UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}  # seconds
EVERY = re.compile(r"every (?:([1-9]\d{0,4}) )?(second|minute|hour|day)s?")


def interval(trigger: str) -> timedelta | None:
    """Return the time between two syncs: 300 s for `every 5 minutes`, None for `change` and `manual`.

    Raises:
        ValueError: `trigger` is none of the three.
    """
    if trigger in (CHANGE, MANUAL):
        return None
    match = EVERY.fullmatch(trigger)
    if not match:
        raise ValueError(
            f"{trigger!r} is not a trigger: give 'change', 'manual', or an interval such as 'every 5 minutes'."
        )
    return timedelta(seconds=int(match[1] or 1) * UNITS[match[2]])
