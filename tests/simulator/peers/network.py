"""What is on its way between nodes. Anything may be lost, doubled, held up for ever so long, or overtaken."""

import json
from dataclasses import dataclass, field, replace

from syncer.core.merge import State, VersionVector, edits_as_json, edits_from_json


@dataclass(frozen=True, kw_only=True)
class Message:
    """
    Attributes:
        of: the sender's incarnation.
        key: empty: nothing but a greeting.
        wanted: what was claimed, which the answer brings back.
        told: the ledger's edits that the sender knows; no node reads them.
    """

    sender: str
    receiver: str
    of: int
    key: str = ""
    state: State | None = None
    wanted: int = 0
    told: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """
    Attributes:
        to: the incarnation that had asked.
        seen: the message's.
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
        flying: what was sent and has not arrived.
        past: all that was ever sent; any of it may arrive once more.
        messages: how many were sent, answers apart.
    """

    flying: list[Message | Answer] = field(default_factory=list)
    past: list[Message | Answer] = field(default_factory=list)
    messages: int = 0

    def send(self, one: Message | Answer) -> None:
        """It sets out, and arrives who knows when."""
        self.flying.append(self.carry(one))

    def carry(self, one: Message | Answer) -> Message | Answer:
        """It arrives at once."""
        if isinstance(one, Message):
            self.messages += 1
            one = replace(one, state=one.state and _carried(one.state))
        self.past.append(one)
        return one


def _carried(state: State) -> State:
    """As the other end reads it."""
    seen, fields = json.loads(json.dumps([state.seen, edits_as_json(state.fields)]))
    return State(seen=seen, fields=edits_from_json(fields))
