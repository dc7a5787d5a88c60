"""What a delivery has to do, from what the target is known to hold and what we have: from its claim to what is
committed before it leaves. It has over 300 lines, for these rules are read together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID, uuid4

Payload = dict[str, Any]  # {"remote name": JSON value}


class Action(StrEnum):
    """What is asked of the target; the last three ask nothing. A replay sends an unanswered create again, as it was."""

    CREATE = "create"
    REPLAY = "replay"
    UPDATE = "update"
    DELETE = "delete"
    LOOKUP = "lookup"
    PUSH = "push"  # to a peer: whatever it is there, it becomes the join of both
    NOTHING = "nothing"
    WAIT = "wait"
    DOUBT = "doubt"


@dataclass(frozen=True, kw_only=True)
class Known:
    """What we know of one record at the target.

    Attributes:
        remote_id: its id, as JSON text; None: no record, or an unanswered create.
        agreed: what we last sent and the target accepted; None: not known.
        create_body: what an unanswered create sent; None: no create is unanswered.
        unconfirmed: something was sent before and its answer is not known.
        deleting: that something was a delete.
        look_first: a record may have been made that we do not know of.
    """

    remote_id: str | None = None
    agreed: Payload | None = None
    create_body: Payload | None = None
    unconfirmed: bool = False
    deleting: bool = False
    look_first: bool = False


def decide(known: Known, payload: Payload | None, *, can_look_up: bool, can_replay: bool = False) -> Action:
    """The delivery that makes the target's record equal to `payload` (None: there should be no record).

    Events are never counted; states are compared. So created and updated is one create, created and deleted is
    nothing, changed and changed back is nothing.

    Args:
        can_look_up: the route can find a record again by what it holds.
        can_replay: the target still remembers the key of the unanswered create.
    """
    if known.remote_id is None:
        if known.create_body is not None and can_replay:
            return Action.REPLAY
        if known.create_body is not None or (known.look_first and payload is not None):
            return Action.LOOKUP if can_look_up else Action.DOUBT
        return Action.NOTHING if payload is None else Action.CREATE
    if payload is None:
        return Action.DELETE
    if payload == known.agreed and not known.unconfirmed:
        return Action.NOTHING
    return Action.UPDATE


def changes(agreed: Payload | None, payload: Payload) -> Payload:
    """The fields of `payload` that differ from `agreed`; all of them where `agreed` is not known."""
    if agreed is None:
        return payload
    return {name: value for name, value in payload.items() if name not in agreed or agreed[name] != value}


Changes = dict[str, Any]  # {"column": value} of a binding

CLOCKS = 0.9  # of the time for which a target remembers keys; the rest is for clocks that differ and for the request


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claimed binding, as it was when it was claimed.

    Attributes:
        wanted: the version that this delivery will have delivered.
        was: whether it was unconfirmed before.
        tries: failed tries since the last success.
    """

    wanted: int
    was: bool = False
    tries: int = 0


@dataclass(frozen=True, kw_only=True)
class ClaimedBinding:
    """A claimed binding, free of the database.

    Attributes:
        pk, key: the binding, and the key of its object.
        token: this claim's; a later claim has a higher one, and this one then settles nothing.
        ends: when the lease ends, by this process's monotonic clock, in seconds.
        last_remote_id: the id that the object's record last had, encoded.
        create_key, create_path: of an unanswered create, its Idempotency-Key and where it was sent.
        can_replay: the target still remembers that key.
        account: what a create that is made now is sent with, see `Target.account`.
        peer_seen: the edits that a peer is known to have seen, by writer.
    """

    pk: int
    key: str
    token: int
    ends: float
    known: Known
    claim: Claim
    last_remote_id: str | None = None
    create_key: UUID | None = None
    create_path: str = ""
    can_replay: bool = False
    account: str = ""
    peer_seen: Mapping[str, int] = field(default_factory=dict)


class ClaimableRow(Protocol):
    """The columns of a binding that a delivery goes by."""

    pk: int
    wanted: int
    unconfirmed: bool
    token: int
    tries: int
    rejected: int | None
    remote_id: str | None
    last_remote_id: str | None
    agreed: Payload | None
    create_key: UUID | None
    create_body: Payload | None
    create_at: datetime | None
    create_path: str
    create_account: str
    deleting: bool
    look_first: bool
    peer_seen: Mapping[str, int] | None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One object as it is to be at the target.

    Attributes:
        payload: `{"remote name": JSON value}`.
        create_path: where it is made.
        parent: the binding under whose record it hangs; None: under none.
        waits: a parent's remote id is not known yet, so nothing can be sent.
    """

    payload: Payload
    create_path: str = ""
    parent: int | None = None
    waits: bool = False


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One delivery, decided.

    Attributes:
        sent: the payload that the target will hold when it is done; None where there is no object.
        like: of a lookup, what the record holds that is looked for.
        create_path: where a new record is made.
        parent: the binding under whose record it then hangs.
        key: a create's Idempotency-Key.
    """

    binding: ClaimedBinding
    action: Action
    sent: Payload | None = None
    like: Payload | None = None
    create_path: str = ""
    parent: int | None = None
    key: UUID | None = None


def known_of(row: ClaimableRow) -> Known:
    """What a binding's row says of the record."""
    return Known(
        remote_id=row.remote_id,
        agreed=row.agreed,
        create_body=row.create_body,
        unconfirmed=row.unconfirmed,
        deleting=row.deleting,
        look_first=row.look_first,
    )


def can_replay(row: ClaimableRow, now: datetime, *, key_hours: float, account: str) -> bool:
    """The unanswered create can be sent again under its key.

    Not where that was refused: an edit sends it again, and it is looked up then. `rejected` is older than no create,
    for each new one clears it. Nor where address or sign-in changed: keys are remembered for each apart.
    """
    if row.create_key is None or row.create_at is None or row.rejected is not None or row.create_account != account:
        return False
    return now < row.create_at + timedelta(hours=key_hours) * CLOCKS


def claimed(
    row: ClaimableRow, key: str, *, ends: float, now: datetime, key_hours: float, account: str
) -> ClaimedBinding:
    """What a worker holds of a row that it has just claimed; `row` is as it was before."""
    return ClaimedBinding(
        pk=row.pk,
        key=key,
        token=row.token + 1,
        ends=ends,
        known=known_of(row),
        claim=Claim(wanted=row.wanted, was=row.unconfirmed, tries=row.tries),
        last_remote_id=row.last_remote_id,
        create_key=row.create_key,
        create_path=row.create_path,
        can_replay=can_replay(row, now, key_hours=key_hours, account=account),
        account=account,
        peer_seen=row.peer_seen or {},
    )


def delivery_of(binding: ClaimedBinding, wanted: Wanted | None, *, lookup: Sequence[str], path: str) -> Delivery:
    """The delivery that a claimed binding needs.

    Args:
        wanted: the object as it is now; None: there is to be no record.
        lookup: the remote names by which a record is looked for.
        path: where records are made, for the replay of a create that does not say.
    """
    if wanted is not None and wanted.waits:
        return Delivery(binding=binding, action=Action.WAIT)
    known, payload = binding.known, wanted.payload if wanted else None
    action = decide(known, payload, can_look_up=bool(lookup), can_replay=binding.can_replay)
    if action is Action.REPLAY:
        where = binding.create_path or (wanted.create_path if wanted else path)
        return Delivery(
            binding=binding, action=action, sent=known.create_body, create_path=where, key=binding.create_key
        )
    like = known.create_body
    if like is None and payload is not None:
        # Of a record that is not known here nothing is certain but what it is looked for by.
        like = {name: payload[name] for name in lookup if name in payload}
    return Delivery(
        binding=binding,
        action=action,
        sent=payload,
        like=like if action is Action.LOOKUP else None,
        create_path=wanted.create_path if wanted else "",
        parent=wanted.parent if wanted else None,
        key=uuid4() if action is Action.CREATE else None,
    )


def committed_first(delivery: Delivery, now: datetime) -> Changes:
    """What is written before a delivery leaves, for nothing tells it afterwards; empty: nothing."""
    if delivery.action is Action.DELETE:
        return {"deleting": True}
    if delivery.action is not Action.CREATE:
        return {}
    return {
        "create_key": delivery.key,
        "create_body": delivery.sent,
        "create_at": now,
        "create_path": delivery.create_path,
        "create_account": delivery.binding.account,
        "parent_id": delivery.parent,
        "rejected": None,
    }


def update_body(known: Known, payload: Payload, *, patch: bool) -> Payload:
    """What an update sends: the whole record, or with `patch` what differs.

    After an unknown update nobody can say what the record holds: a PATCH then carries all fields.
    """
    if not patch:
        return payload
    return changes(None if known.unconfirmed else known.agreed, payload)
