"""What failed in a run, grouped by reason: the same kind of answer is one group, however many objects got it."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.db.models.functions import Left

from backoffice.kit.phrases import english
from syncer.models import Attempt, Run

READ = 10_000  # failures that are grouped
REASON = 300  # characters of an answer that tell its reason
SHOWN = 10  # objects of a group
HEX = "[0-9a-fA-F]"  # faster than to ignore case
VARYING = re.compile(rf"{HEX}{{8}}-?(?:{HEX}{{4}}-?){{3}}{HEX}{{12}}|\d+")  # ids, and other numbers
# A quoted text of an answer is as often the cause as a value; only long ones are taken for values.
LONG = re.compile(r"“[^”]{40,}”|'[^']{40,}'")


@dataclass(kw_only=True)
class Group:
    """The failures with one reason."""

    outcome: str
    status: int | None  # HTTP status; None: no answer
    reason: str  # the answer, in English where there was none, without what differs from object to object
    attempts: list[int] = field(default_factory=list)  # the primary keys of all, newest first
    bindings: list[int] = field(default_factory=list)

    @property
    def number(self) -> int:
        return len(self.attempts)

    @property
    def key(self) -> str:
        """A short name for the reason, for addresses."""
        return hashlib.sha256(f"{self.outcome} {self.status} {self.reason}".encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Failures:
    """The failures of a run."""

    groups: Sequence[Group]  # the largest first
    is_more: bool  # whether older failures were left out

    @property
    def number(self) -> int:
        return sum(group.number for group in self.groups)

    def group(self, key: str) -> Group | None:
        return next((group for group in self.groups if group.key == key), None)


def failures_of(run: Run) -> Failures:
    """Return the failures of a run, the last exchange with each object that failed, by one statement."""
    columns = ("pk", "binding_id", "outcome", "status", Left("answer", REASON))
    rows = list(run.failures().order_by("-pk").select_related(None).values_list(*columns)[: READ + 1])
    groups: dict[tuple[str, int | None, str], Group] = {}
    for attempt, binding, outcome, status, answer in rows[:READ]:
        reason = normalized(english(answer))
        found = groups.setdefault((outcome, status, reason), Group(outcome=outcome, status=status, reason=reason))
        found.attempts.append(attempt)
        found.bindings.append(binding)
    return Failures(groups=sorted(groups.values(), key=lambda group: -group.number), is_more=len(rows) > READ)


def normalized(answer: str) -> str:
    """Return an answer without what differs from object to object: ids, other numbers and long quotes."""
    return LONG.sub("“…”", VARYING.sub("…", " ".join(answer.split())))


def attempts_of(keys: Sequence[int], *, size: int = 500) -> Iterator[list[Attempt]]:
    """Yield these attempts with their bindings, in pages."""
    for place in range(0, len(keys), size):
        page = keys[place : place + size]
        found = Attempt.objects.filter(pk__in=page).select_related("binding__route").order_by("-pk")
        yield list(found)
