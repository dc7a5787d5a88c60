"""Every failure has its fault, and every fault its failure.

An attempt and the request that the remote noted are one and the same where remote, method, path and object agree, and
the request came in while the attempt was made. What is then left over on either side needs another reason: a remote
that was away, a record that the remote had lost, a worker that died between sending and settling.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product

from syncer.engine.settling import LOST
from tests.chaos.audit import Audit, Claim
from tests.chaos.books import WELL, meaning
from tests.chaos.director import Outage
from tests.chaos.marks import mark_in
from tests.chaos.stage import TIMEOUT
from tests.remote import Entry

EARLY, SLACK = 0.1, 1.2  # seconds by which a request may be noted before its attempt began, and after it was given up
DYING = 1.5  # seconds for which the rest of a worker goes on when its first process was killed
AWAY = 1.5  # seconds around an outage
LONGEST = 2 * TIMEOUT + 2  # seconds that a request of ours can take, with some to spare on a busy machine
RIGHTLY = "answered rightly"


def clock(at: float) -> str:
    """Unix time, as logs have it."""
    return datetime.fromtimestamp(at, tz=UTC).strftime("%H:%M:%S.%f")[:-3]


@dataclass(kw_only=True, eq=False)
class Tried:
    """One attempt, as the engine wrote it down; `at` is Unix time, `path` without the query, unknown of a late one."""

    remote: str
    binding: int
    at: float
    seconds: float
    action: str
    outcome: str
    method: str
    path: str
    status: int | None
    answer: str
    asked: "Asked | None" = None

    @property
    def is_late(self) -> bool:
        """Another worker had taken over before it was settled."""
        return self.answer == LOST

    def __str__(self) -> str:
        said = self.answer[:120] if self.status is None else f"{self.status} {self.answer[:120]}"
        took = f"{self.seconds:.2f} s"
        return f"{clock(self.at)}, {took}: {self.remote} {self.method} {self.path}: {self.outcome}, {said}"


@dataclass(kw_only=True, eq=False)
class Asked:
    """One request, as the remote noted it; `binding` is None of a GET that does not look for one object."""

    remote: str
    entry: Entry
    at: float
    binding: int | None
    tried: Tried | None = None

    @property
    def may_be_untold(self) -> bool:
        """No attempt is kept of a GET that the client repeated, because its kept connection was reset."""
        return self.entry.method == "GET" and self.entry.fault.startswith("reset")

    def __str__(self) -> str:
        fault = f" ({self.entry.fault})" if self.entry.fault else ""
        what = f"{self.entry.method} {self.entry.path} → {self.entry.status}{fault}"
        return f"{clock(self.at)} {self.remote} {self.entry.number}: {what}"


@dataclass(kw_only=True)
class Explained:
    """What was found."""

    planted: Counter[str] = field(default_factory=Counter)  # requests that fell to each fault
    met: Counter[str] = field(default_factory=Counter)  # of these, what the engine wrote down as what it was
    unseen: Counter[str] = field(default_factory=Counter)  # of these, what a worker died before it could write down
    other: Counter[str] = field(default_factory=Counter)  # failures that have another reason, by reason
    wrong: list[str] = field(default_factory=list)  # what nothing explains, as sentences
    bindings: list[int] = field(default_factory=list)  # whose that is

    def blame(self, text: str, binding: int | None) -> None:
        self.wrong.append(text)
        self.bindings += [] if binding is None else [binding]


@dataclass(kw_only=True)
class Explainer:
    tried: Sequence[Tried]
    asked: Sequence[Asked]
    audit: Audit
    struck: Mapping[int, Sequence[float]]
    cuts: Sequence[float]
    outages: Sequence[Outage]
    lost: Mapping[str, set[str]]
    found: Explained = field(default_factory=Explained)

    def explain(self) -> Explained:
        """Match, then look at every failure, every request and every claim that nobody settled."""
        self.found.planted.update(one.entry.fault for one in self.asked if one.entry.fault)
        match(self.tried, self.asked)
        for tried in self.tried:
            self._attempt(tried)
        for asked in self.asked:
            if asked.tried is None:
                self._unseen(asked)
        for claim in self.audit.abandoned:
            if not self._died(claim):
                text = f"worker {claim.worker} left binding {claim.note.binding} and was not struck"
                self.found.blame(f"{clock(claim.at)} to {clock(claim.until)}: {text}", claim.note.binding)
        return self.found

    def _attempt(self, tried: Tried) -> None:
        fault = tried.asked.entry.fault if tried.asked else ""
        # Who stood still finds an answer that it would have given up waiting for.
        came_late = tried.outcome == "done" and (tried.is_late or tried.seconds > LONGEST)
        if tried.asked and fault and (came_late or _explains(tried.asked, tried)):
            self.found.met[fault] += 1
        elif fault or tried.outcome != "done":
            reason = self._reason(tried)
            if not reason:
                why = f"“{fault}” was taken for that" if fault else "nothing was planted"
                self.found.blame(f"{why}: {tried}; at the remote: {tried.asked}", tried.binding)
            elif fault:
                self.found.met[fault] += 1
            else:
                self.found.other[reason] += 1

    def _reason(self, tried: Tried) -> str:
        if tried.status is None and tried.outcome in ("unknown", "retryable") and self._is_away(tried):
            return "the remote was away"
        if tried.status == 404 and self._is_gone(tried):
            return "the remote had lost the record"
        # A pause in an answer was longer than it was meant to be, or nobody took the connection.
        is_well = tried.asked.entry.fault in WELL if tried.asked else tried.outcome == "retryable"
        if is_well and tried.status is None and tried.seconds >= TIMEOUT:
            return "the machine was slow"
        if tried.method == "GET" and tried.asked is None and tried.outcome == "retryable":
            return "a GET was repeated"  # and the first of the two was taken for it
        return ""

    def _is_away(self, tried: Tried) -> bool:
        return any(
            one.remote == tried.remote and one.begin - AWAY <= tried.at + tried.seconds and tried.at <= one.end + AWAY
            for one in self.outages
        )

    def _is_gone(self, tried: Tried) -> bool:
        """It was lost there, or deleted by a request of ours of which nobody learned the end in time."""
        path = tried.asked.entry.path if tried.asked else tried.path
        parent = path.rpartition("/")[0] if tried.method == "POST" else path
        if parent in self.lost[tried.remote]:
            return True
        return any(
            one.entry.path == parent
            and one.entry.method == "DELETE"
            and one.entry.applied
            and one.remote == tried.remote
            for one in self.asked
            if one.tried is None or one.tried.outcome != "done" or one.tried.is_late
        )

    def _unseen(self, asked: Asked) -> None:
        """No attempt tells of it: its claim must have been left by who made it.

        Nor is an attempt kept of the list that is read before a route sends anything.
        """
        if asked.may_be_untold or (asked.entry.method == "GET" and asked.binding is None):
            self.found.unseen[asked.entry.fault or RIGHTLY] += 1
            return
        keys = self.audit.claims if asked.binding is None else [asked.binding]
        left = (claim for key in keys for claim in self.audit.claims[key] if claim.is_abandoned)
        if any(claim.at - EARLY <= asked.at <= claim.until + SLACK for claim in left):
            self.found.unseen[asked.entry.fault or RIGHTLY] += 1
        else:
            self.found.blame(f"no attempt tells of: {asked}", asked.binding)

    def _died(self, claim: Claim) -> bool:
        causes = [*self.struck[claim.worker], *self.cuts]
        return any(claim.at - DYING <= at <= claim.until for at in causes)


def match(tried: Iterable[Tried], asked: Iterable[Asked]) -> None:
    """Pair them, in the order of time; a GET for no one object goes to who has no other.

    Of several equal requests at once, an attempt is paired with one that explains it, and must have one.
    """
    waiting: dict[tuple[str, str, int | None], list[Asked]] = defaultdict(list)
    for one in sorted(asked, key=lambda one: one.may_be_untold):
        waiting[one.remote, one.entry.method, one.binding].append(one)
    ordered = sorted(tried, key=lambda one: one.at)
    for explained, slack, own in product((True, False), (EARLY, SLACK), (True, False)):
        for attempt in ordered:
            if attempt.asked is None:
                binding = attempt.binding if own else None
                candidates = waiting[attempt.remote, attempt.method, binding]
                _take(attempt, [one for one in candidates if not explained or _explains(one, attempt)], slack)


def _explains(asked: Asked, tried: Tried) -> bool:
    """Say whether the attempt is what is expected of the request, so that no other of that moment is looked for."""
    if asked.entry.fault:
        return tried.outcome in meaning(asked.entry.fault, tried.action, tried.method, tried.status)
    status = tried.status or 0
    return status == asked.entry.status and (tried.outcome == "done" or status >= 400)


def _take(attempt: Tried, waiting: Iterable[Asked], slack: float) -> None:
    for one in waiting:
        in_time = attempt.at - EARLY <= one.at <= attempt.at + attempt.seconds + slack
        is_there = attempt.is_late or attempt.path == one.entry.path
        if in_time and is_there and one.tried is None and attempt.status in (None, one.entry.status):
            attempt.asked, one.tried = one, attempt
            return


def whose(
    entry: Entry, audit: Audit, by_mark: Mapping[tuple[str, str], int], by_record: Mapping[str, int]
) -> int | None:
    """The binding of a request: by the key of a create, the mark in what is looked for, or the record's path."""
    if entry.method == "POST":
        return audit.creates.get(entry.headers["Idempotency-Key"])
    if entry.method == "GET":
        collection = f"/{entry.path.strip('/').split('/')[-1]}"
        return by_mark.get((collection, mark_in(dict(entry.query))))
    return by_record.get(entry.path)
