"""One node: the rows that it has, and the transactions that change them, each a step of its own."""

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
Claim = tuple[ClaimedBinding, int]  # and what was wanted then


@dataclass(frozen=True, kw_only=True)
class Binding:
    """What a peer is to hold of an object, and is known to have seen of it."""

    wanted: int = 0
    delivered: int = 0
    peer_seen: VersionVector = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """All that a backup holds. No part is ever changed in place but the dictionaries themselves.

    Attributes:
        shadows, states: the replica of each object.
        saved: the keys of what was written, in order, as history names them.
        marks: how far the plan of each peer has read that.
        heard: the newest incarnation of each peer that spoke to us.
        told: which of ours each peer has answered to.
        clocks: what the clock said at each object's last edit, in hours.
    """

    live: dict[str, Content] = field(default_factory=dict)
    shadows: dict[str, Content] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    bindings: dict[ClaimedBinding, Binding] = field(default_factory=dict)
    saved: list[str] = field(default_factory=list)
    marks: dict[str, int] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    clocks: dict[str, int] = field(default_factory=dict)

    def copy(self) -> "Rows":
        return Rows(**{name: part.copy() for name, part in vars(self).items()})


@dataclass(kw_only=True)
class Node:
    """
    Attributes:
        incarnation: which of its lives this is.
        claims: what workers have claimed and not looked at yet.
    """

    name: str
    peers: tuple[str, ...]
    rules: Rules
    ledger: Ledger
    incarnation: int = 1
    rows: Rows = field(default_factory=Rows)
    claims: list[Claim] = field(default_factory=list)

    @property
    def writer(self) -> str:
        return f"{self.name}:{self.incarnation:06}"

    # --- people ------------------------------------------------------------------------------------------------------

    def save(self, key: str, live: Content, *, at: int) -> None:
        """A plain save or delete: the row, and the history that names it."""
        self.rows.live[key], self.rows.clocks[key] = live, at
        self.rows.saved.append(key)

    def conflicts(self, key: str) -> frozenset[str]:
        return outcome(self.rows.states.get(key, State()), self.rules, live=self.rows.live.get(key)).conflicts

    def decide(self, key: str, values: Mapping[str, Any], *, at: int) -> None:
        """A person says what is true, on the page of conflicts."""
        state = overrule(self._stamped(key), values, me=self.writer)
        self.ledger.decide((self.name, key), self.incarnation, values, at)
        self._write(key, state)
        self._spread(key)

    # --- handing over ------------------------------------------------------------------------------------------------

    def plan(self, peer: str) -> None:
        """What was written since the mark is wanted at the peer."""
        for key in set(self.rows.saved[self.rows.marks.get(peer, 0) :]):
            self.want((peer, key))
        self.rows.marks[peer] = len(self.rows.saved)

    def due(self, peer: str) -> list[ClaimedBinding]:
        bindings = sorted(binding for binding in self.rows.bindings if binding[0] == peer)
        return [
            binding
            for binding in bindings
            if self.rows.bindings[binding].wanted > self.rows.bindings[binding].delivered
        ]

    def claim(self, binding: ClaimedBinding) -> Claim:
        return binding, self.rows.bindings[binding].wanted

    def greet(self, peer: str) -> Message | None:
        """Tell a peer which life this is, where it has not answered to it."""
        if self.rows.told.get(peer) == self.incarnation:
            return None
        return Message(sender=self.name, receiver=peer, of=self.incarnation)

    def push(self, claim: Claim) -> Message | None:
        """What a claim hands over; None: the peer has seen it all."""
        binding, wanted = claim
        peer, key = binding
        state = self._stamped(key)
        if covers(self._binding(binding).peer_seen, state.seen):
            reached["the peer has seen it all"] += 1
            self._deliver(binding, wanted)
            return None
        told = self.ledger.known.get((self.name, key), NONE)
        return Message(
            sender=self.name, receiver=peer, of=self.incarnation, key=key, state=state, wanted=wanted, told=told
        )

    # --- taking in ---------------------------------------------------------------------------------------------------

    def learn(self, message: "Message | Answer") -> bool:
        """Which life the other one is in; whether it is the newest that is known.

        A newer one was put back: what it had seen is not known any more, and all of it is compared again.
        """
        peer, known = message.sender, self.rows.heard.get(message.sender, 0)
        if message.of < known:
            reached["a message of an older life"] += 1
        if message.of > known:
            self.rows.heard[peer] = message.of
            for binding in [binding for binding in self.rows.bindings if binding[0] == peer]:
                self.rows.bindings[binding] = replace(self._binding(binding), peer_seen={})
                self.want(binding)
        return message.of >= known

    def take_in(self, message: Message, *, is_newest: bool) -> Answer:
        """Stamp, join, write what comes out, note what the sender has seen, want it where it is news; all at once."""
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
        self.ledger.heard((self.name, key), message.told)
        self._notice(key, mine, state)
        self._write(key, join(mine, state))
        if is_newest:
            self._note_seen((message.sender, key), state.seen)
        self._spread(key)
        return answer

    def answered(self, answer: Answer) -> None:
        """Of an older life, or to one, it says nothing of now."""
        is_newest = self.learn(answer)
        if not is_newest or answer.to != self.incarnation:
            reached["an answer of or to an older life"] += 1
            return
        self.rows.told[answer.sender] = self.incarnation
        if answer.key:
            self._note_seen((answer.sender, answer.key), answer.seen)
            self._deliver((answer.sender, answer.key), answer.wanted)

    # --- rows --------------------------------------------------------------------------------------------------------

    def _stamped(self, key: str) -> State:
        """The state, which now has what was edited here since the engine last looked."""
        rows, place, at = self.rows, (self.name, key), self.rows.clocks.get(key, 0)
        live, shadow = rows.live.get(key), rows.shadows.get(key)
        self.ledger.look(place, self.incarnation, live, at)
        by = dict.fromkeys(changed(shadow, live), By(at=f"{at:02}"))
        state = stamp(rows.states.get(key, State()), shadow, live, me=self.writer, by=by)
        rows.states[key], rows.shadows[key] = state, live
        self.ledger.check(place, live, self.conflicts(key))
        return state

    def _write(self, key: str, state: State) -> None:
        """Hold the state, and make the object what it says."""
        rows, was = self.rows, self.rows.live.get(key)
        found = outcome(state, self.rules, live=was)
        if found.content != was:
            rows.saved.append(key)
        rows.live[key] = rows.shadows[key] = found.content
        rows.states[key] = state
        self.ledger.left((self.name, key), found.content)
        self.ledger.check((self.name, key), found.content, found.conflicts)

    def _spread(self, key: str) -> None:
        """Want it wherever it is not known to be seen."""
        for binding in ((peer, key) for peer in self.peers):
            if not covers(self._binding(binding).peer_seen, self.rows.states[key].seen):
                self.want(binding)

    def _binding(self, binding: ClaimedBinding) -> Binding:
        return self.rows.bindings.get(binding, Binding())

    def want(self, binding: ClaimedBinding) -> None:
        self.rows.bindings[binding] = replace(self._binding(binding), wanted=self._binding(binding).wanted + 1)

    def _deliver(self, binding: ClaimedBinding, wanted: int) -> None:
        self.rows.bindings[binding] = replace(
            self._binding(binding), delivered=max(self._binding(binding).delivered, wanted)
        )

    def _note_seen(self, binding: ClaimedBinding, seen: VersionVector) -> None:
        self.rows.bindings[binding] = replace(
            self._binding(binding), peer_seen=together(self._binding(binding).peer_seen, seen)
        )

    def _notice(self, key: str, mine: State, theirs: State) -> None:
        live = self.rows.live.get(key)
        there = outcome(join(mine, theirs), self.rules, live=live).content is not None
        deleted = any(not one.value for one in mine.fields.get(EXISTS, ()))
        reached["an object is back after a delete that lost"] += there and live is None and deleted
        reached["an edit loses to a delete"] += not there and live is not None and not covers(theirs.seen, mine.seen)
        reached["a repeated message"] += bool(mine.seen) and covers(mine.seen, theirs.seen)
        reached["two that never met"] += bool(mine.seen) and bool(theirs.seen) and not {*mine.seen} & {*theirs.seen}
