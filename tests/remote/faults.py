"""The small language in which a test plans what goes wrong at the Fake API.

Rules are asked in the order in which they were planned; the first that fits a request takes it and is used up by one.
"""

import enum
import itertools
import random
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from fnmatch import fnmatchcase
from typing import Any, Self

from tests.remote.journal import WRITES


class Fault(enum.Enum):
    """What happens to the request. `act` says whether it is carried out all the same."""

    STATUS = "answers `status`, with `body`, `headers`, `retry_after`"
    RESET = "ends the connection with RST; without `act` not even the body is read"
    HANG = "answers nothing; when released, ends the connection"
    HOLD = "stops until released, then goes on as if nothing had been; `act`: stops after it was carried out"
    SLOW = "answers rightly, byte by byte over `seconds`"
    TRUNCATED = "answers with half of the JSON, as if that were all"
    CUT = "announces the whole answer and ends the connection after half of it"
    HTML = "answers `status` (200) with a page for people"
    EMPTY = "answers `status` (200) with no body"
    NO_ID = "answers rightly, but for the id"
    FIXED_ID = "answers a create with `fixed_id` (101), as the public JSONPlaceholder does"
    REDIRECT = "answers `status` (302) with Location: `location`"
    LOSE = "has lost the record, and all that hung under it; answers `status` (404)"


ACTS = {Fault.HOLD, Fault.SLOW, Fault.TRUNCATED, Fault.CUT, Fault.HTML, Fault.EMPTY, Fault.NO_ID}
STATUS = {Fault.STATUS: 500, Fault.REDIRECT: 302, Fault.LOSE: 404}  # where the test gives none; all others: 200


@dataclass(kw_only=True)
class Rule:
    """One planned fault, and the handle on the requests that it took."""

    kind: Fault
    method: str = "*"  # any
    path: str = "*"  # a shell pattern, `/posts/*`; "*" matches "/" too
    where: Callable[[dict[str, Any]], bool] | None = None  # fits only JSON objects for which it is true
    times: int | None = 1  # how many requests it takes; None: all
    act: bool | None = None  # carry the request out, as what sends the right answer always does; None: see `ACTS`
    status: int | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    retry_after: int | str | None = None  # seconds, or an HTTP date
    seconds: float = 1.0
    fixed_id: Any = 101
    location: str = "/elsewhere"
    most: float | None = None  # seconds after which what was stopped goes on automatically; None: never
    name: str = ""  # as the journal has it; empty: the kind's
    _arrived: threading.Event = field(default_factory=threading.Event, repr=False)
    _released: threading.Event = field(default_factory=threading.Event, repr=False)

    def __post_init__(self) -> None:
        self.acts = self.kind in ACTS if self.act is None else self.act
        self.answers = self.status or STATUS.get(self.kind, 200)
        self.name = self.name or self.kind.name.lower()

    @property
    def all_headers(self) -> dict[str, str]:
        waits = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return {**self.headers, **waits}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def fits(self, method: str, path: str, body: Callable[[], Any]) -> bool:
        return (
            self.times != 0
            and self.method in ("*", method)
            and fnmatchcase(path, self.path)
            and (self.where is None or (isinstance(sent := body(), dict) and self.where(sent)))
        )

    def arrive(self) -> None:
        self._arrived.set()

    @property
    def is_met(self) -> bool:
        """A request has met it."""
        return self._arrived.is_set()

    def wait_arrived(self, seconds: float = 10) -> None:
        """Wait until a request met this rule (and, with `act`, was carried out).

        Raises:
            TimeoutError: none did within `seconds`.
        """
        if not self._arrived.wait(seconds):
            raise TimeoutError(f"No {self.method} {self.path} arrived within {seconds} s.")

    def pause(self, seconds: float | None = None) -> None:
        """Stop the request until it is released, at most `seconds`."""
        self._released.wait(seconds)

    def release(self) -> None:
        """Let go what this rule stopped, and what it would stop from now on."""
        self._released.set()


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way in which a request may go wrong by itself."""

    name: str
    rule: Mapping[str, Any]  # of `Rule`
    methods: Collection[str] = (*WRITES, "GET")
    weight: float = 1.0  # how often, beside the other ways
    date: float | None = None  # sends `Retry-After` as the HTTP date so many seconds ahead


class Chaos:
    """A share `rate` of all requests goes wrong. Which, and how, follows from `seed` and the number of a request."""

    def __init__(self, *, rate: float, seed: int | str, ways: Sequence[Way]) -> None:
        self.rate, self.seed, self.ways = rate, seed, ways
        self._numbers = itertools.count(1)

    def rule(self, method: str) -> Rule | None:
        choice = random.Random(f"{self.seed}/{next(self._numbers)}")
        ways = [way for way in self.ways if method in way.methods]
        if not ways or choice.random() >= self.rate:
            return None
        way = choice.choices(ways, [way.weight for way in ways])[0]
        rule = Rule(**way.rule, name=way.name)
        if way.date is not None:
            rule.retry_after = formatdate(time.time() + way.date, usegmt=True)
        return rule


class Plan:
    """All rules of one Fake API."""

    def __init__(self) -> None:
        self.chaos: Chaos | None = None
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def add(self, rule: Rule) -> Rule:
        with self._lock:
            self._rules.append(rule)
        return rule

    def take(self, method: str, path: str, body: Callable[[], Any]) -> Rule | None:
        """The rule that this request falls to, used up by one."""
        with self._lock:
            for rule in self._rules:
                if rule.fits(method, path, body):
                    rule.times = rule.times and rule.times - 1
                    return rule
            return self.chaos.rule(method) if self.chaos else None

    def release(self) -> None:
        with self._lock:
            for rule in self._rules:
                rule.release()

    def clear(self) -> None:
        """Forget all rules; what they stopped is let go."""
        self.release()
        with self._lock:
            self._rules.clear()
            self.chaos = None
