"""What state an object is in at a target, and what only a person can decide of it: the one definition of both.

Both are tables of facts, of which the first row that fits counts. So the same table is asked of one binding here, and
of all of them in SQL (`models/state.py`); a test runs every combination of facts through both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Table = tuple[tuple[T, Mapping[str, bool]], ...]  # ((what it is, {"fact": whether it holds}), …)


class State(StrEnum):
    """An object at a target, in the words that pages use."""

    IN_SYNC = "in sync"
    PENDING = "pending"
    SENDING = "sending"
    RETRYING = "retrying"
    REJECTED = "rejected"
    IN_DOUBT = "in doubt"
    ON_HOLD = "on hold"
    CONFLICT = "conflict"
    NOT_SYNCED = "not synced"


class Question(StrEnum):
    """What a person is asked."""

    CREATE = "A create was not answered. Did it arrive?"
    UNSEEN = "A record may have been made that is not known here. Was it?"
    GONE = "The target has no such record any more. Is it there under another id?"


class Health(StrEnum):
    """A target as a whole."""

    HEALTHY = "healthy"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    RATE_LIMITED = "rate limited"
    PAUSED = "paused"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of one object at one target.

    Attributes:
        due: it is to be compared with the target: a version was not delivered, or an answer is not known.
        on_hold: a person keeps it back.
        in_doubt: whether a create arrived can't be found out.
        rejected: the target refused this version for good.
        claimed: a worker has it now.
        failed: its last try failed.
        bound: it has a record at the target.
        unanswered: a create was sent, and its answer is not known.
        look_first: a record may have been made that is not known here.
        gone: it was rejected since the target has no such record any more.
        changed: the history names it after the route's mark.
        conflict: both ends edited it, and nothing decides between them.
    """

    due: bool = False
    on_hold: bool = False
    in_doubt: bool = False
    rejected: bool = False
    claimed: bool = False
    failed: bool = False
    bound: bool = False
    unanswered: bool = False
    look_first: bool = False
    gone: bool = False
    changed: bool = False
    conflict: bool = False


STATES: Table[State] = (
    (State.ON_HOLD, {"on_hold": True}),
    (State.CONFLICT, {"conflict": True}),
    (State.IN_DOUBT, {"in_doubt": True}),
    (State.PENDING, {"due": False, "changed": True}),
    (State.PENDING, {"due": True, "rejected": True, "changed": True}),
    (State.IN_SYNC, {"due": False, "bound": True}),
    (State.NOT_SYNCED, {"due": False, "bound": False}),
    (State.REJECTED, {"due": True, "rejected": True}),
    (State.SENDING, {"due": True, "claimed": True}),
    (State.RETRYING, {"due": True, "failed": True}),
    (State.PENDING, {"due": True}),
)
# A record is looked for again only where a person can't be right about it without looking too.
QUESTIONS: Table[Question] = (
    (Question.CREATE, {"in_doubt": True, "unanswered": True}),
    (Question.UNSEEN, {"in_doubt": True}),
    (Question.CREATE, {"rejected": True, "unanswered": True}),
    (Question.UNSEEN, {"rejected": True, "look_first": True, "bound": False}),
    (Question.GONE, {"rejected": True, "gone": True}),
)
NOT_BLOCKED = {"on_hold": False, "in_doubt": False, "rejected": False}  # nothing but a person, or an edit, moves others


class BindingRow(Protocol):
    """The columns of a binding that decide."""

    wanted: int
    delivered: int
    unconfirmed: bool
    in_doubt: bool
    rejected: int | None
    on_hold: bool
    lease_until: datetime | None
    not_before: datetime | None
    tries: int
    remote_id: str | None
    create_body: Any
    look_first: bool
    gone: bool


def facts_of(row: BindingRow, now: datetime, *, changed: bool = False, conflict: bool = False) -> Facts:
    """The facts that a binding's row tells; what the history and the replica tell is given."""
    return Facts(
        due=row.wanted > row.delivered or row.unconfirmed,
        on_hold=row.on_hold,
        in_doubt=row.in_doubt,
        rejected=row.rejected is not None and row.rejected >= row.wanted,
        claimed=row.lease_until is not None and row.lease_until > now,
        failed=row.tries > 0,
        bound=row.remote_id is not None,
        unanswered=row.create_body is not None,
        look_first=row.look_first,
        gone=row.gone,
        changed=changed,
        conflict=conflict,
    )


class TargetRow(Protocol):
    """The columns of a target that decide."""

    enabled: bool
    blocked: str
    opened_at: datetime | None
    not_before: datetime | None


def health_of(target: TargetRow, now: datetime) -> Health:
    """What a target as a whole is called."""
    if not target.enabled:
        return Health.PAUSED
    if target.blocked:
        return Health.BLOCKED
    if target.opened_at is not None:
        return Health.UNREACHABLE
    if target.not_before is not None and target.not_before > now:
        return Health.RATE_LIMITED
    return Health.HEALTHY


def holds(facts: Facts, wanted: Mapping[str, bool]) -> bool:
    """Whether the facts are as `wanted` says."""
    return all(getattr(facts, name) is value for name, value in wanted.items())


def state_of(facts: Facts) -> State:
    """The state; the table has a row for every combination of facts."""
    return next(state for state, wanted in STATES if holds(facts, wanted))


def question_of(facts: Facts) -> Question | None:
    """What a person must decide; None: nothing."""
    return next((question for question, wanted in QUESTIONS if holds(facts, wanted)), None)


def is_claimable(row: BindingRow, now: datetime) -> bool:
    """A worker may take it, as far as its own row tells: parents and children may still be in the way."""
    facts = facts_of(row, now)
    rests = row.not_before is not None and row.not_before > now
    return facts.due and not facts.claimed and not rests and holds(facts, NOT_BLOCKED)
