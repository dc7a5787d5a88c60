"""Decides what a delivery does, from what the target is known to hold and what we have.

The rules reach from the claim of a binding to the columns that are committed before the request leaves. The module has
over 300 lines because the shapes that they hand to each other stand beside them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

if TYPE_CHECKING:
    from syncer.core.state import BindingRow

Payload = dict[str, Any]  # {"remote name": JSON value}
Changes = dict[str, Any]  # {"column": value} of a binding
CLOCKS = 0.9  # the share of `key_hours` that is used; the rest allows for clock skew and for the request itself


class Action(StrEnum):
    """The request that a delivery makes; the last four make none."""

    CREATE = "create"
    REPLAY = "replay"  # an unanswered create, sent again exactly as it was
    UPDATE = "update"
    DELETE = "delete"
    LOOKUP = "lookup"
    PUSH = "push"  # to a peer, where the object becomes the join of both states
    NOTHING = "nothing"
    WAIT = "wait"
    DOUBT = "doubt"
    REJECT = "reject"  # a value of the object can't be written as the route says


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of one record at the target."""

    remote_id: str | None = None  # as JSON text; None where there is no record, or a create is unanswered
    agreed: Payload | None = None  # what was last sent and accepted, if of a record that is gone; None: not known
    create_body: Payload | None = None  # of an unanswered create; None where no create is unanswered
    unconfirmed: bool = False  # a request was sent whose answer is not known
    deleting: bool = False  # that request was a delete
    look_first: bool = False  # a record may exist that is not known here
    made: bool = False  # the unanswered create was accepted; only its record's id is not known
    create_at: datetime | None = None  # when that create was first sent
    etag: str = ""  # of the record after our last write; empty where it is not known


def decide(known: Known, payload: Payload | None, *, can_look_up: bool, can_replay: bool = False) -> Action:
    """Return the action that makes the target's record equal to `payload`.

    States are compared; events are never counted. So an object that was created and updated needs one create; one that
    was created and deleted, or changed and changed back, needs nothing.

    Args:
        payload: None where there is to be no record.
        can_look_up: the route can find a record by its content.
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
    """Return the fields of `payload` that differ from `agreed`; all of them where `agreed` is not known."""
    if agreed is None:
        return payload
    return {name: value for name, value in payload.items() if name not in agreed or agreed[name] != value}


@dataclass(frozen=True, kw_only=True)
class Sought:
    """The record that a lookup looks for, as it was sent.

    Attributes:
        body: its content.
        lookup: the remote names by which it is looked up; all of them are in `body`.
        path: the path of the list.
        renamed: `{"title": "name"}`, the names under which the route sends the same fields today, where they differ.
        own_id: the encoded id that we gave it; None where the target gives ids.
        before: what the target last accepted of it: a record that still equals this is the one too.
    """

    body: Payload
    lookup: tuple[str, ...] = ()
    path: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)
    own_id: str | None = None
    before: Payload | None = None


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The columns of a route that decide how a record is found again.

    Attributes:
        path: the route's path.
        lookup: the remote names by which a record is looked up.
        fields: `{"remote name": "local field"}`.
        has_own_ids: we give new records their ids, so that they can be found by them.
    """

    path: str = ""
    lookup: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    has_own_ids: bool = False

    @property
    def can_look_up(self) -> bool:
        return bool(self.lookup) or self.has_own_ids

    def as_json(self) -> dict[str, Any]:
        """Return what a binding keeps of an unanswered create: `path`, `lookup` and `fields`."""
        return {"path": self.path, "lookup": list(self.lookup), "fields": dict(self.fields)}

    def sought(self, body: Payload, sent_as: Mapping[str, Any] | None, own_id: str | None) -> Sought:
        """Return what to look for: a record that was sent with `body`, by terms that may be older than these."""
        then = sent_as or self.as_json()
        today = {local: remote for remote, local in self.fields.items()}
        renamed = {
            remote: today[local]
            for remote, local in then["fields"].items()
            if local in today and today[local] != remote
        }
        lookup = tuple(name for name in then["lookup"] or self.lookup if name in body)
        return Sought(body=body, lookup=lookup, path=then["path"], renamed=renamed, own_id=own_id)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The counters of a binding at the moment it was claimed."""

    wanted: int  # the version that a successful delivery will have delivered
    was: bool = False  # the binding was unconfirmed before the claim
    tries: int = 0  # failed ones since the last success
    at: datetime | None = None  # when it was claimed, by the database's clock
    why: str = ""  # of the last failed try


@dataclass(frozen=True, kw_only=True)
class ClaimedBinding:
    """A claimed binding as plain data, for threads that use no database."""

    pk: int
    key: str  # of its object
    token: int  # the number of this claim. A later claim has a higher one, and this claim then settles nothing.
    ends: float  # when the lease ends, in seconds of this process's monotonic clock
    known: Known
    claim: Claim
    deletes: bool = False  # its record was to be deleted when it was claimed; without this, none is deleted
    last_remote_id: str | None = None  # the id that the object's record last had, as JSON text
    create_key: UUID | None = None  # the Idempotency-Key of an unanswered create
    create_path: str = ""  # the path to which that create was sent
    can_replay: bool = False  # the target still remembers that key
    account: str = ""  # that a new create is sent with, see `Target.account`
    create_as: Mapping[str, Any] | None = None  # the terms of an unanswered create, see `Terms.as_json`
    peer_seen: Mapping[str, int] = field(default_factory=dict)  # edits that a peer has seen, {"writer": number}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One object as it is to be at the target."""

    payload: Payload
    create_path: str = ""  # the path at which a new record is created
    parent: int | None = None  # the primary key of the parent record's binding
    waits: bool = False  # a parent's remote id is not known yet, so that nothing can be sent
    own_id: str | None = None  # the encoded id that we give a new record; None where the target gives ids
    fault: str = ""  # why the object can't be sent as it is, a sentence with the cure; there is then no payload


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One delivery with its decision."""

    binding: ClaimedBinding
    action: Action
    sent: Payload | None = None  # the payload that the target holds after a success; None where there is no object
    sought: Sought | None = None  # for a lookup, the record in question; for a create, what it can be found by
    create_path: str = ""  # as in Wanted
    parent: int | None = None  # as in Wanted
    own_id: str | None = None  # as in Wanted
    key: UUID | None = None  # the Idempotency-Key of a create
    fault: str = ""  # as in Wanted


def known_of(row: "BindingRow") -> Known:
    return Known(
        remote_id=row.remote_id,
        agreed=row.agreed,
        create_body=row.create_body,
        unconfirmed=row.unconfirmed,
        deleting=row.deleting,
        look_first=row.look_first,
        made=row.made,
        create_at=row.create_at,
        etag=row.etag,
    )


def can_replay(row: "BindingRow", now: datetime, *, key_hours: float, account: str) -> bool:
    """Return whether the unanswered create can be sent again under its key.

    A create that was refused is not replayed: after the next edit, the record is looked up instead. (`rejected` always
    refers to the last create, because each new one clears it.) Nor is a create replayed after the address or the
    sign-in changed: targets remember keys per account.
    """
    if row.create_key is None or row.create_at is None or row.rejected is not None or row.create_account != account:
        return False
    return now < row.create_at + timedelta(hours=key_hours) * CLOCKS


def claimed(
    row: "BindingRow", key: str, *, deletes: bool, ends: float, now: datetime, key_hours: float, account: str
) -> ClaimedBinding:
    """Return the plain data of a row that was just claimed; `row` has the values from before the claim.

    Args:
        deletes: the object was not to be at the target any more, so that its record was to be deleted.
    """
    return ClaimedBinding(
        pk=row.pk,
        key=key,
        token=row.token + 1,
        ends=ends,
        known=known_of(row),
        claim=Claim(wanted=row.wanted, was=row.unconfirmed, tries=row.tries, at=now, why=row.reason),
        deletes=deletes,
        last_remote_id=row.last_remote_id,
        create_key=row.create_key,
        create_path=row.create_path,
        can_replay=can_replay(row, now, key_hours=key_hours, account=account),
        account=account,
        create_as=row.create_as,
        peer_seen=row.peer_seen or {},
    )


def delivery_of(binding: ClaimedBinding, wanted: Wanted | None, terms: Terms) -> Delivery:
    """Return the delivery that a claimed binding needs.

    An object that is gone since the claim waits for another claim, which counts its delete (`engine/ceiling.py`).

    Args:
        wanted: the object as it is now; None where there is to be no record.
    """
    if wanted is not None and wanted.waits:
        return Delivery(binding=binding, action=Action.WAIT)
    if wanted is None and binding.known.remote_id is not None and not binding.deletes:
        return Delivery(binding=binding, action=Action.WAIT)
    known, payload = binding.known, wanted.payload if wanted else None
    if wanted is not None and wanted.fault and known.create_body is None:  # an unanswered create is settled first
        return Delivery(binding=binding, action=Action.REJECT, fault=wanted.fault)
    sent_as = binding.create_as or {} if known.create_body is not None else {}
    can_look_up = terms.can_look_up or bool(sent_as.get("lookup") or sent_as.get("own_id"))
    action = decide(known, payload, can_look_up=can_look_up, can_replay=binding.can_replay)
    if action is Action.REPLAY:
        create_path = binding.create_path or (wanted.create_path if wanted else terms.path)
        return Delivery(
            binding=binding, action=action, sent=known.create_body, create_path=create_path, key=binding.create_key
        )
    own_id = wanted.own_id if wanted else None
    sought = None
    if action is Action.LOOKUP and known.create_body is not None:
        sought = terms.sought(known.create_body, sent_as or None, sent_as.get("own_id") or own_id)
    elif action is Action.LOOKUP and payload is not None:
        sought = replace(terms.sought(payload, None, own_id), before=known.agreed)
    elif action is Action.CREATE and payload is not None:
        sought = terms.sought(payload, None, own_id)
    return Delivery(
        binding=binding,
        action=action,
        sent=payload,
        sought=sought,
        create_path=wanted.create_path if wanted else "",
        parent=wanted.parent if wanted else None,
        own_id=own_id,
        key=uuid4() if action is Action.CREATE else None,
    )


def committed_first(delivery: Delivery, terms: Terms, now: datetime) -> Changes:
    """Return the columns that must be committed before the request leaves, or a crash would lose them."""
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
        "create_as": terms.as_json() | ({"own_id": delivery.own_id} if delivery.own_id else {}),
        "made": False,
        "parent_id": delivery.parent,
        "rejected": None,
    }


def update_body(known: Known, payload: Payload, *, patch: bool, always: Collection[str] = ()) -> Payload:
    """Return the body of an update: the whole record, or with `patch` the fields that differ.

    While an earlier update is unconfirmed, the content of the record is not known: a PATCH then carries all fields.

    Args:
        always: names that a PATCH carries even if they don't differ.
    """
    if not patch:
        return payload
    differing = changes(None if known.unconfirmed else known.agreed, payload)
    return {name: value for name, value in payload.items() if name in differing or name in always}
