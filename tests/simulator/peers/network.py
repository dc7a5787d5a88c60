"""The messages between nodes. Any of them may be lost, doubled, delayed for any time, or overtaken."""

import json
from dataclasses import dataclass, field, replace

from syncer.core.merge import State, VersionVector, edits_as_json, edits_from_json


@dataclass(frozen=True, kw_only=True)
class Message:
    sender: str
    receiver: str
    of: int  # the sender's incarnation
    key: str = ""  # empty for a handshake
    state: State | None = None
    wanted: int = 0  # the binding's `wanted` when it was claimed, which the answer repeats
    edits: frozenset[int] = frozenset()  # the ledger's edits that the sender knows; no node reads them


@dataclass(frozen=True, kw_only=True)
class Answer:
    sender: str
    receiver: str
    of: int
    to: int  # the incarnation that had sent the message
    key: str
    seen: VersionVector  # the message's version vector
    wanted: int


@dataclass(kw_only=True)
class Network:
    flying: list[Message | Answer] = field(default_factory=list)  # the messages that were sent and have not arrived
    past: list[Message | Answer] = field(default_factory=list)  # all messages ever sent; any of them may arrive again
    messages: int = 0  # the number of messages sent, without answers

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
