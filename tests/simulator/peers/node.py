"""One node: its rows, and the transactions that change them, each of them a separate step."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from syncer.core.merge import (
    EXISTS,
    By,
    Rules,
    State,
    VersionVector,
    changed,
    covers,
    join,
    outcome,
    overrule,
    stamp,
    together,
)
from tests.simulator.peers.ledger import NONE, Content, Ledger, reached
from tests.simulator.peers.network import Answer, Message

ClaimedBinding = tuple[str, str]  # peer, key
Claim = tuple[ClaimedBinding, int]  # with the binding's `wanted` at that time


@dataclass(frozen=True, kw_only=True)
class Binding:
    """The wanted and the delivered version of an object at a peer, and the version vector noted for the peer."""

    wanted: int = 0
    delivered: int = 0
    peer_seen: VersionVector = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """All that a backup contains. Only the dictionaries are changed in place, never their values."""

    live: dict[str, Content] = field(default_factory=dict)
    shadows: dict[str, Content] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    bindings: dict[ClaimedBinding, Binding] = field(default_factory=dict)
    saved: list[str] = field(default_factory=list)  # the keys of the writes, in order, as the history has them
    marks: dict[str, int] = field(default_factory=dict)  # how far the plan of each peer has read `saved`
    peer_incarnations: dict[str, int] = field(default_factory=dict)  # the newest known ones
    acknowledged: dict[str, int] = field(default_factory=dict)  # our incarnation to which each peer has answered
    clocks: dict[str, int] = field(default_factory=dict)  # when each object was last edited, in hours of the node

    def copy(self) -> "Rows":
        return Rows(**{name: part.copy() for name, part in vars(self).items()})


@dataclass(kw_only=True)
class Node:
    name: str
    peers: tuple[str, ...]
    rules: Rules
    ledger: Ledger
    incarnation: int = 1  # its current incarnation
    rows: Rows = field(default_factory=Rows)
    claims: list[Claim] = field(default_factory=list)  # the claims that no worker has pushed yet

    @property
    def writer(self) -> str:
        return f"{self.name}:{self.incarnation:06}"

    # --- people ------------------------------------------------------------------------------------------------------

    def save(self, key: str, live: Content, *, at: int) -> None:
        """Save or delete an object: write the row and its history."""
        self.rows.live[key], self.rows.clocks[key] = live, at
        self.rows.saved.append(key)

    def conflicts(self, key: str) -> frozenset[str]:
        return outcome(self.rows.states.get(key, State()), self.rules, live=self.rows.live.get(key)).conflicts

    def decide(self, key: str, values: Mapping[str, Any], *, at: int) -> None:
        """Resolve a conflict as a person does on its page."""
        state = overrule(self._stamped(key), values, me=self.writer)
        self.ledger.decide((self.name, key), self.incarnation, values, at)
        self._write(key, state)
        self._spread(key)

    # --- pushing -----------------------------------------------------------------------------------------------------

    def plan(self, peer: str) -> None:
        """Raise the objects that were written since the peer's mark."""
        for key in set(self.rows.saved[self.rows.marks.get(peer, 0) :]):
            self.want((peer, key))
        self.rows.marks[peer] = len(self.rows.saved)

    def due(self, peer: str) -> list[ClaimedBinding]:
        due = [binding for binding, row in self.rows.bindings.items() if row.wanted > row.delivered]
        return sorted(binding for binding in due if binding[0] == peer)

    def claim(self, binding: ClaimedBinding) -> Claim:
        return binding, self.rows.bindings[binding].wanted

    def handshake(self, peer: str) -> Message | None:
        """Return a message that names our incarnation; None if the peer knows it."""
        if self.rows.acknowledged.get(peer) == self.incarnation:
            return None
        return Message(sender=self.name, receiver=peer, of=self.incarnation)

    def push(self, claim: Claim) -> Message | None:
        """Return the message for a claim; None if the peer has seen all edits."""
        binding, wanted = claim
        peer, key = binding
        state = self._stamped(key)
        if covers(self._binding(binding).peer_seen, state.seen):
            reached["the peer has seen it all"] += 1
            self._deliver(binding, wanted)
            return None
        edits = self.ledger.known.get((self.name, key), NONE)
        return Message(
            sender=self.name, receiver=peer, of=self.incarnation, key=key, state=state, wanted=wanted, edits=edits
        )

    # --- receiving ---------------------------------------------------------------------------------------------------

    def learn(self, message: "Message | Answer") -> bool:
        """Record the sender's incarnation, and return whether it is the newest known one.

        A newer incarnation than before was restored: its version vectors are unknown, and everything is compared again.
        """
        peer, known = message.sender, self.rows.peer_incarnations.get(message.sender, 0)
        if message.of < known:
            reached["a message of an older life"] += 1
        if message.of > known:
            self.rows.peer_incarnations[peer] = message.of
            for binding in [binding for binding in self.rows.bindings if binding[0] == peer]:
                self.rows.bindings[binding] = replace(self._binding(binding), peer_seen={})
                self.want(binding)
        return message.of >= known

    def take_in(self, message: Message, *, is_newest: bool) -> Answer:
        """Stamp, merge, write, note what the sender has seen, and raise the object for peers, in one transaction."""
        key, state = message.key, message.state
        answer = Answer(
            sender=self.name,
            receiver=message.sender,
            of=self.incarnation,
            to=message.of,
            key=key,
            seen=state.seen if state else {},
            wanted=message.wanted,
        )
        if state is None:
            return answer
        mine = self._stamped(key)
        self.ledger.receive((self.name, key), message.edits)
        self._count(key, mine, state)
        self._write(key, join(mine, state))
        if is_newest:
            self._note_seen((message.sender, key), state.seen)
        self._spread(key)
        return answer

    def answered(self, answer: Answer) -> None:
        """Settle an answer; one from or to an older incarnation says nothing about the present ones."""
        is_newest = self.learn(answer)
        if not is_newest or answer.to != self.incarnation:
            reached["an answer of or to an older life"] += 1
            return
        self.rows.acknowledged[answer.sender] = self.incarnation
        if answer.key:
            self._note_seen((answer.sender, answer.key), answer.seen)
            self._deliver((answer.sender, answer.key), answer.wanted)

    # --- rows --------------------------------------------------------------------------------------------------------

    def _stamped(self, key: str) -> State:
        """Stamp the edits made here since the object was last stamped, and return its state."""
        rows, place, at = self.rows, (self.name, key), self.rows.clocks.get(key, 0)
        live, shadow = rows.live.get(key), rows.shadows.get(key)
        self.ledger.look(place, self.incarnation, live, at)
        by = dict.fromkeys(changed(shadow, live), By(at=f"{at:02}"))
        state = stamp(rows.states.get(key, State()), shadow, live, me=self.writer, by=by)
        rows.states[key], rows.shadows[key] = state, live
        self.ledger.check(place, live, self.conflicts(key))
        return state

    def _write(self, key: str, state: State) -> None:
        """Store a state, and the object that it makes."""
        rows, was = self.rows, self.rows.live.get(key)
        found = outcome(state, self.rules, live=was)
        if found.content != was:
            rows.saved.append(key)
        rows.live[key] = rows.shadows[key] = found.content
        rows.states[key] = state
        self.ledger.left((self.name, key), found.content)
        self.ledger.check((self.name, key), found.content, found.conflicts)

    def _spread(self, key: str) -> None:
        """Raise the object for each peer that is not known to have seen it."""
        for binding in ((peer, key) for peer in self.peers):
            if not covers(self._binding(binding).peer_seen, self.rows.states[key].seen):
                self.want(binding)

    def _binding(self, binding: ClaimedBinding) -> Binding:
        return self.rows.bindings.get(binding, Binding())

    def want(self, binding: ClaimedBinding) -> None:
        row = self._binding(binding)
        self.rows.bindings[binding] = replace(row, wanted=row.wanted + 1)

    def _deliver(self, binding: ClaimedBinding, wanted: int) -> None:
        row = self._binding(binding)
        self.rows.bindings[binding] = replace(row, delivered=max(row.delivered, wanted))

    def _note_seen(self, binding: ClaimedBinding, seen: VersionVector) -> None:
        row = self._binding(binding)
        self.rows.bindings[binding] = replace(row, peer_seen=together(row.peer_seen, seen))

    def _count(self, key: str, mine: State, theirs: State) -> None:
        live = self.rows.live.get(key)
        there = outcome(join(mine, theirs), self.rules, live=live).content is not None
        deleted = any(not one.value for one in mine.fields.get(EXISTS, ()))
        reached["an object is back after a delete that lost"] += there and live is None and deleted
        reached["an edit loses to a delete"] += not there and live is not None and not covers(theirs.seen, mine.seen)
        reached["a repeated message"] += bool(mine.seen) and covers(mine.seen, theirs.seen)
        reached["two that never met"] += bool(mine.seen) and bool(theirs.seen) and not {*mine.seen} & {*theirs.seen}
