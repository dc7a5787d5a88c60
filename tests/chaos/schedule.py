"""What happens when. All of it follows from the seed before the run begins."""

import random
from dataclasses import dataclass
from enum import StrEnum

WORKERS = 3
EDITORS = ("orm-1", "orm-2", "api", "import")
REMOTES = ("alpha", "beta")
FROZEN = 9.0  # seconds; longer than a lease of ours, so that what was claimed is taken over meanwhile
BLOWS = (2.5, 5.5)  # seconds between two
AWAY = 1.0  # seconds for which a remote refuses connections


class What(StrEnum):
    """What happens to whom."""

    KILL_GROUP = "every process of a worker is killed"
    KILL_ONE = "one process of a worker is killed"
    KILL_ROOT = "the first process of a worker is killed"
    FREEZE = "a worker stands still"
    THAW = "a worker goes on"
    CUT = "the database ends every connection"
    OUTAGE = "a remote refuses connections"


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happens."""

    at: float  # seconds since the beginning
    what: What
    worker: int = 0  # to 2
    pick: float = 0.0  # to 1: which of the worker's processes
    remote: str = ""  # empty: both


def schedule(seed: str, seconds: float) -> list[Event]:
    """What happens in a run of `seconds`, in order; the last second and a half is quiet."""
    choice = random.Random(f"{seed}/schedule")
    events = [*_blows(choice, seconds), *_outages(choice, seconds)]
    events += [Event(at=_cut(events, seconds * part + choice.uniform(-2, 2)), what=What.CUT) for part in (0.3, 0.65)]
    return sorted((event for event in events if 0 < event.at < seconds - 1.5), key=lambda event: event.at)


def _blows(choice: random.Random, seconds: float) -> list[Event]:
    """A worker every few seconds: each kind of blow in turn, in an order of chance.

    While one stands still the others are left alone: they are to take over what it had.
    """
    kinds = [What.KILL_GROUP, What.KILL_ONE, What.KILL_ONE, What.KILL_ROOT, What.FREEZE]
    events: list[Event] = []
    at, turn = 0.0, list[What]()
    while (at := at + choice.uniform(*BLOWS)) < seconds:
        turn = turn or choice.sample(kinds, len(kinds))
        event = Event(at=at, what=turn.pop(), worker=choice.randrange(WORKERS), pick=choice.random())
        events.append(event)
        if event.what is What.FREEZE:
            at = min(at + FROZEN, seconds - 2)
            events.append(Event(at=at, what=What.THAW, worker=event.worker))
    return events


def _cut(events: list[Event], at: float) -> float:
    """That time, or the end of a freeze which it falls into: who is cut off meanwhile does not come late, but never."""
    thaws = [event.at for event in events if event.what is What.THAW]
    return next((thaw + 1 for thaw in thaws if thaw - FROZEN <= at <= thaw), at)


def _outages(choice: random.Random, seconds: float) -> list[Event]:
    return [
        Event(at=seconds * choice.uniform(0.1, 0.8), what=What.OUTAGE, remote=remote)
        for remote in REMOTES
        for _ in range(2)
    ]
