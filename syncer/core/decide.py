"""What a delivery has to do, from what the target is known to hold and what we have."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Payload = dict[str, Any]  # {"remote name": JSON value}


class Action(StrEnum):
    """What is asked of the target; the last three ask nothing."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    LOOKUP = "lookup"
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
        unsettled: something was sent before and its answer is not known.
    """

    remote_id: str | None = None
    agreed: Payload | None = None
    create_body: Payload | None = None
    unsettled: bool = False


def decide(known: Known, payload: Payload | None, *, can_look_up: bool) -> Action:
    """The delivery that makes the target's record equal to `payload` (None: there should be no record).

    Events are never counted; states are compared. So created and updated is one create, created and deleted is
    nothing, changed and changed back is nothing.
    """
    if known.remote_id is None:
        if known.create_body is not None:
            return Action.LOOKUP if can_look_up else Action.DOUBT
        return Action.NOTHING if payload is None else Action.CREATE
    if payload is None:
        return Action.DELETE
    if payload == known.agreed and not known.unsettled:
        return Action.NOTHING
    return Action.UPDATE


def changes(agreed: Payload | None, payload: Payload) -> Payload:
    """The fields of `payload` that differ from `agreed`; all of them where `agreed` is not known."""
    if agreed is None:
        return payload
    return {name: value for name, value in payload.items() if name not in agreed or agreed[name] != value}
