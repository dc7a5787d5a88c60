"""The one definition of the state of an object at a target, and of the questions that only a person can decide.

Both are tables of facts in which the first row that fits counts. So the same table serves for one binding here and for
all of them in SQL (`models/binding.py`); a test runs every combination of facts through both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar
from uuid import UUID

T = TypeVar("T")
Table = tuple[tuple[T, Mapping[str, bool]], ...]  # ((value, {"fact": whether it holds}), …)


class State(StrEnum):
    """The states of an object at a target, in the words of the pages."""

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
    """The questions that a person is asked."""

    CREATE = "A create was not answered. Did it arrive?"
    UNSEEN = "The target may have its record already. Which one is it, if any?"
    GONE = "The target has no such record any more. Is it there under another id?"


class Health(StrEnum):
    """The conditions of a target as a whole, those that need a person most first."""

    BLOCKED = "blocked"
    NEEDS_PERSON = "needs a person"
    UNREACHABLE = "unreachable"
    NO_WORKER = "no worker"
    RATE_LIMITED = "rate limited"
    PAUSED = "paused"
    NOT_CONTACTED = "not contacted yet"
    HEALTHY = "healthy"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The facts that are known of one object at one target."""

    due: bool = False  # it has to be compared with the target: a version was not delivered, or an answer is not known
    on_hold: bool = False  # a person keeps the object back
    in_doubt: bool = False  # whether a create arrived can't be found out
    rejected: bool = False  # the target refused the wanted version for good
    claimed: bool = False  # a worker holds the binding now
    failed: bool = False  # the last try failed
    bound: bool = False  # the object has a record at the target
    unanswered: bool = False  # a create was sent whose answer is not known
    look_first: bool = False  # a record may exist that is not known here
    gone: bool = False  # the object was rejected because the target no longer has its record
    changed: bool = False  # the history has a change of the object after the route's mark
    conflict: bool = False  # both ends edited the object, and no rule decides between them


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
# GONE comes last: before it, a record may exist under an id that only another lookup could find.
QUESTIONS: Table[Question] = (
    (Question.CREATE, {"in_doubt": True, "unanswered": True}),
    (Question.UNSEEN, {"in_doubt": True}),
    (Question.CREATE, {"rejected": True, "unanswered": True}),
    (Question.UNSEEN, {"rejected": True, "look_first": True, "bound": False}),
    (Question.GONE, {"rejected": True, "gone": True}),
)
# Which part of a target's backlog an object is in, as far as its own row shows; in none of them it needs nothing.
BACKLOG: Table[State] = (
    (State.ON_HOLD, {"on_hold": True}),
    (State.IN_DOUBT, {"in_doubt": True}),
    (State.REJECTED, {"due": True, "rejected": True}),
    (State.PENDING, {"due": True}),
)
NOT_BLOCKED = {"on_hold": False, "in_doubt": False, "rejected": False}  # others need a person or an edit


class BindingRow(Protocol):
    """The columns of a binding from which its facts follow, and that a delivery reads."""

    pk: int
    wanted: int
    delivered: int
    unconfirmed: bool
    in_doubt: bool
    rejected: int | None
    on_hold: bool
    token: int
    lease_until: datetime | None
    not_before: datetime | None
    tries: int
    remote_id: str | None
    last_remote_id: str | None
    agreed: dict[str, Any] | None
    create_key: UUID | None
    create_body: dict[str, Any] | None
    create_at: datetime | None
    create_path: str
    create_account: str
    deleting: bool
    create_as: dict[str, Any] | None
    look_first: bool
    made: bool
    gone: bool
    etag: str
    refused_at: datetime | None
    reason: str
    peer_seen: Mapping[str, int] | None


def facts_of(row: BindingRow, now: datetime, *, changed: bool = False, conflict: bool = False) -> Facts:
    """Return the facts of a binding's row; `changed` (from the history) and `conflict` (from the replica) are given."""
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
    """The columns of a target from which its health follows."""

    enabled: bool
    blocked: str
    opened_at: datetime | None
    not_before: datetime | None


def health_of(target: TargetRow, now: datetime) -> Health:
    """Return the health of a target as far as its own row shows: whether it may be sent to now."""
    if not target.enabled:
        return Health.PAUSED
    if target.blocked:
        return Health.BLOCKED
    if target.opened_at is not None:
        return Health.UNREACHABLE
    if target.not_before is not None and target.not_before > now:
        return Health.RATE_LIMITED
    return Health.HEALTHY


def health_with(health: Health, *, needs_person: bool, has_worker: bool, is_contacted: bool) -> Health:
    """Return the health of a target with what else is known of it: nothing may be left to wish of a healthy one.

    Args:
        needs_person: whether objects wait there for a person.
        has_worker: whether a worker is running that could send what is due.
        is_contacted: whether anything was ever sent to the target.
    """
    if health is not Health.HEALTHY:
        return health
    if needs_person:
        return Health.NEEDS_PERSON
    if not has_worker:
        return Health.NO_WORKER
    return health if is_contacted else Health.NOT_CONTACTED


def holds(facts: Facts, condition: Mapping[str, bool]) -> bool:
    """Return whether the facts are as the condition says, `{"fact": whether it holds}`."""
    return all(getattr(facts, name) is value for name, value in condition.items())


def state_of(facts: Facts) -> State:
    """Return the state of an object; the table has a row for every combination of facts."""
    return next(state for state, condition in STATES if holds(facts, condition))


def question_of(facts: Facts) -> Question | None:
    """Return the question that a person must decide; None where there is none."""
    return next((question for question, condition in QUESTIONS if holds(facts, condition)), None)


def is_claimable(row: BindingRow, now: datetime) -> bool:
    """Return whether a worker may claim the binding as far as its own row shows; a parent or child may prevent it."""
    facts = facts_of(row, now)
    backs_off = row.not_before is not None and row.not_before > now
    return facts.due and not facts.claimed and not backs_off and holds(facts, NOT_BLOCKED)
