"""What a delivery has to do, from what the target is known to hold and what we have."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

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
