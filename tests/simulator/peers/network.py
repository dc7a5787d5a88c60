"""The messages between nodes. Any of them may be lost, doubled, delayed for any time, or overtaken."""

import json
from dataclasses import dataclass, field, replace

from syncer.core.merge import State, VersionVector, edits_as_json, edits_from_json


@dataclass(frozen=True, kw_only=True)
class Message:
    """
    Attributes:
        of: the sender's incarnation.
        key: empty for a handshake.
        wanted: the binding's `wanted` when it was claimed, which the answer repeats.
        edits: the ledger's edits that the sender knows; no node reads them.
    """

    sender: str
    receiver: str
    of: int
    key: str = ""
    state: State | None = None
    wanted: int = 0
    edits: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """
    Attributes:
        to: the incarnation that had sent the message.
        seen: the message's version vector.
    """

    sender: str
    receiver: str
    of: int
    to: int
    key: str
    seen: VersionVector
    wanted: int


@dataclass(kw_only=True)
class Network:
    """
    Attributes:
        flying: the messages that were sent and have not arrived.
        past: all messages ever sent; any of them may arrive again.
        messages: the number of messages sent, without answers.
    """

    flying: list[Message | Answer] = field(default_factory=list)
    past: list[Message | Answer] = field(default_factory=list)
    messages: int = 0

    def send(self, one: Message | Answer) -> None:
        """Send a message, which arrives at any later time."""
        self.flying.append(self.carry(one))

    def carry(self, one: Message | Answer) -> Message | Answer:
        """Send a message that arrives at once; return it as the receiver reads it."""
        if isinstance(one, Message):
            self.messages += 1
            one = replace(one, state=one.state and _carried(one.state))
        self.past.append(one)
        return one


def _carried(state: State) -> State:
    """Return a state as the receiver parses it."""
    seen, fields = json.loads(json.dumps([state.seen, edits_as_json(state.fields)]))
    return State(seen=seen, fields=edits_from_json(fields))
