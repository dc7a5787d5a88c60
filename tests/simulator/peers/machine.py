"""The steps that hypothesis combines: editors, workers, a bad network, restores, and people who decide."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from syncer.core.merge import Rules
from tests.simulator.peers.ledger import ASK, EXISTS, Ledger, Snapshot, reached
from tests.simulator.peers.network import Answer, Message
from tests.simulator.peers.node import Node, Rows
from tests.simulator.peers.rest import World

FIELDS = ("title", "status", "amount", "note")  # one of the first node's, nobody's, the second's, one to ask about
KEYS = ("x", "y")
BACKUPS = 3  # kept of each node
ANY = st.integers(0, 11)  # an index, taken modulo the number of choices, so that it shrinks to the first
NODES, MANY, VALUES, HOURS = range(6), range(12), range(3), range(0, 24, 4)
HOW = ["save"] * 6 + ["undo"] + ["delete", "decide for its own"] * 2 + ["decide"]
# One draw instead of six: most of the time of a step goes into its draws.
EDITS = st.sampled_from([*product(NODES, HOW, KEYS, FIELDS, VALUES, HOURS)])
AT_ONCE = st.sampled_from([*product(HOW, (*FIELDS, "note", "note"), VALUES, HOURS)])
WORK = ("claim", "push", "die")
WIRE = ("arrive", "lose", "double", "learn", "lose answer", "again")
NEXT = ["claim"] * 4 + ["push"] * 6 + ["arrive"] * 5 + ["lose answer"] + [*WORK, *WIRE]
STEPS = st.sampled_from([*product(NEXT, NODES, MANY)])
FATES = st.sampled_from(["arrives"] * 3 + ["late", "lost", "answer lost", "answer late", "doubled"])
HAPPENS = ("die", "back up", "back up", "restore", "restore", "rest")
EVENTS = st.sampled_from([*product(HAPPENS, NODES, MANY, VALUES)])


def chosen(choices: Iterable[Any], which: int) -> Any:
    """Return one of the choices; None if there are none."""
    ordered = list(choices)
    return ordered[which % len(ordered)] if ordered else None


@dataclass(kw_only=True)
class Backup:
    rows: Rows
    ledger: Snapshot  # the node's part of the ledger
    is_used: bool = False  # whether the node was restored from it before


class Peers(RuleBasedStateMachine):
    """Several nodes; the subclasses define the links between them."""

    LINKS: Mapping[str, tuple[str, ...]] = {}  # each node's peers

    @initialize(
        exists=st.sampled_from(["", "first", "second", "second", ASK]),
        asks=st.sampled_from([True, True, False]),
        met=st.booleans(),
    )
    def begin(self, exists: str, asks: bool, met: bool):
        first, second, *_ = self.LINKS
        who = {"title": first, "amount": second, "note": ASK if asks else ""}
        who[EXISTS] = {"first": first, "second": second}.get(exists, exists)
        decides = {name: one for name, one in who.items() if one}
        ask = frozenset(name for name, one in decides.items() if one == ASK and name != EXISTS)
        authority = {name: one for name, one in decides.items() if name not in ask}
        ledger, rules = Ledger(decides=decides), Rules(authority=authority, ask=ask)
        self.world = World((Node(name=n, peers=p, rules=rules, ledger=ledger) for n, p in self.LINKS.items()), ledger)
        self.backups: dict[str, list[Backup]] = {name: [] for name in self.LINKS}
        self.lives = Counter(dict.fromkeys(self.LINKS, 1))
        self.unanswered: set[tuple[str, str, str]] = set()
        if met:
            for key in KEYS:
                self.nodes[0].save(key, dict.fromkeys(FIELDS, 0), at=0)
            self.world.rest()
        for node in self.nodes:
            self._back_up(node)

    @property
    def nodes(self) -> list[Node]:
        return list(self.world.nodes.values())

    # --- people ------------------------------------------------------------------------------------------------------

    @rule(edits=st.lists(EDITS, min_size=1, max_size=5))
    def write(self, edits: list[tuple[int, str, str, str, int, int]]):
        """Editors anywhere create, change, undo and delete; their clocks decide nothing."""
        for who, how, key, name, value, at in edits:
            self._write(chosen(self.nodes, who), how, key, name, value, at)

    def _write(self, node: Node, how: str, key: str, name: str, value: int, at: int):
        live, shadow = node.rows.live.get(key), node.rows.shadows.get(key)
        if how == "delete" and live is not None:
            node.save(key, None, at=at)
        elif how in ("decide", "decide for its own"):
            self._decide(node, key, value, is_own=how != "decide")
        elif how == "undo" and shadow is not None:
            node.save(key, shadow, at=at)
        elif how == "save":
            node.save(key, {**(live or dict.fromkeys(FIELDS, value)), name: value}, at=at)
            late = [one for one in self.unanswered if (one[0], one[2]) == (node.name, key)]
            reached["an answer is lost, then it is edited"] += bool(late)

    @rule(key=st.sampled_from(KEYS), edits=st.lists(AT_ONCE, min_size=2, max_size=4), fates=st.lists(FATES, max_size=4))
    def edit_at_once(self, key: str, edits: list[tuple[str, str, int, int]], fates: list[str]):
        """Nodes edit one object concurrently, and some of them push it."""
        for number, (how, name, value, at) in enumerate(edits):
            self._write(chosen(self.nodes, number), how, key, name, value, at)
        for number, _ in enumerate(fates):
            self.run(number, number // 2, fates[number:])

    def _decide(self, node: Node, key: str, value: int, *, is_own: bool):
        """A person decides a conflict, here if there is one, often in favour of the present value."""
        places = [(node, key), *((one, other) for one in self.nodes for other in KEYS)]
        node, key = next((place for place in places if place[0].conflicts(place[1])), places[0])
        live, waits = node.rows.live.get(key), sorted(node.conflicts(key))
        if EXISTS in waits:
            node.decide(key, {EXISTS: value > 0}, at=0)
        elif waits and live is not None:
            node.decide(key, {name: live[name] if is_own else value for name in waits}, at=0)
        reached["a person decides"] += bool(waits)

    # --- workers and the network -------------------------------------------------------------------------------------

    @rule(steps=st.lists(STEPS, min_size=3, max_size=12))
    def go_on(self, steps: list[tuple[str, int, int]]):
        """Workers run one transaction at a time, and messages travel."""
        for what, who, which in steps:
            if what in WORK or not self.world.network.past:
                node = chosen(self.nodes, who)
                self._work(node, chosen(node.peers, which), what, which)
            else:
                self._wire(what, which)

    def _work(self, node: Node, peer: str, what: str, which: int):
        if what == "die":
            self._die(node)
        elif what == "push" and node.claims:
            self._send(node.push(node.claims.pop(which % len(node.claims))))
        else:
            node.plan(peer)
            self._send(node.handshake(peer))
            node.claims += [node.claim(binding) for binding in node.due(peer)]

    def _die(self, node: Node):
        reached["a worker dies at its work"] += bool(node.claims)
        node.claims = []

    def _send(self, message: Message | None):
        if message:
            self.world.network.send(message)

    def _wire(self, what: str, which: int):
        """A message arrives, is lost or comes twice, or its receiver dies while it applies the message."""
        network = self.world.network
        if what == "again":
            reached["something old arrives once more"] += 1
            self._arrive(chosen(network.past, which * 7), "arrive")
        elif network.flying:
            one = network.flying[which % len(network.flying)]
            reached["something is overtaken"] += one is not network.flying[0]
            reached["something is doubled"] += what == "double"
            if what != "double":
                network.flying.remove(one)
            self._arrive(one, what)

    def _arrive(self, one: Message | Answer, what: str):
        """Deliver a message.

        Args:
            what: "lose", "lose answer", "learn" (the receiver dies once it knows the sender's incarnation); with
                anything else nothing goes wrong.
        """
        if what == "lose":
            reached["something is lost"] += 1
            self._note(one, is_lost=True)
        elif what == "learn":
            reached["a node dies while it takes in"] += 1
            self.world.nodes[one.receiver].learn(one)
        else:
            answer = self.world.deliver(one)
            self._note(answer or one, is_lost=what == "lose answer")
            if answer and what != "lose answer":
                self.world.network.send(answer)

    def _note(self, one: Message | Answer, *, is_lost: bool):
        """Remember the bindings whose answers were lost, until an answer arrives."""
        if isinstance(one, Answer) and one.key:
            binding = (one.receiver, one.sender, one.key)
            (self.unanswered.add if is_lost else self.unanswered.discard)(binding)

    @rule(who=ANY, which=ANY, fates=st.lists(FATES, min_size=1, max_size=4))
    def run(self, who: int, which: int, fates: list[str]):
        """A whole run of a worker, in which each message has one of the fates."""
        node, network = chosen(self.nodes, who), self.world.network
        peer = chosen(node.peers, which)
        node.plan(peer)
        messages = [node.handshake(peer), *(node.push(node.claim(binding)) for binding in node.due(peer))]
        for number, message in enumerate(one for one in messages if one):
            self._apply_fate(network.carry(message), fates[number % len(fates)])

    def _apply_fate(self, one: Message | Answer, fate: str):
        network = self.world.network
        if fate == "late":
            network.flying.append(one)
            return
        if fate == "lost":
            reached["something is lost"] += 1
            return
        if fate == "doubled":
            reached["something is doubled"] += 1
            network.flying.append(one)
        answer = self.world.deliver(one)
        assert answer is not None
        if fate == "answer late":
            network.send(answer)
            return
        if fate != "answer lost":
            self.world.deliver(network.carry(answer))
        self._note(answer, is_lost=fate == "answer lost")

    # --- what befalls nodes ------------------------------------------------------------------------------------------

    @rule(events=st.lists(EVENTS, min_size=1, max_size=3))
    def befall(self, events: list[tuple[str, int, int, int]]):
        """A node's workers die, a node is backed up or restored, or nothing fails for a while."""
        for how, who, which, value in events:
            node = chosen(self.nodes, who)
            if how == "die":
                self._die(node)
            elif how == "back up":
                self._back_up(node)
            elif how == "restore" and (backups := self.backups[node.name]):
                self._restore(node, chosen(backups, which), 1 + value)
            elif how == "rest":
                self._rest(node, chosen(KEYS, which), chosen(FIELDS, which), value)

    def _back_up(self, node: Node):
        copy = Backup(rows=node.rows.copy(), ledger=self.world.ledger.copy(node.name))
        self.backups[node.name] = [*self.backups[node.name], copy][-BACKUPS:]

    def _restore(self, node: Node, backup: Backup, more: int):
        """Restore a node; it takes an incarnation that was never used, however often it is restored."""
        reached["a node is put back"] += 1
        reached["a node is put back twice to one backup"] += backup.is_used
        backup.is_used = True
        self.lives[node.name] += more
        node.rows, node.incarnation, node.claims = backup.rows.copy(), self.lives[node.name], []
        self.world.ledger.put_back(node.name, backup.ledger)

    # --- the end -----------------------------------------------------------------------------------------------------

    def _rest(self, node: Node, key: str, name: str, value: int):
        """Let everything arrive, then make one edit and count its messages."""
        self.world.rest()
        live = node.rows.live.get(key) or dict.fromkeys(FIELDS, value)
        self.world.check_price(node, key, {**live, name: value})

    def teardown(self):
        """Let a person decide every conflict that is left; afterwards there must be none."""
        if not hasattr(self, "world"):
            return
        self.world.rest()
        for node in self.nodes:
            for key in KEYS:
                for name in sorted(node.conflicts(key)):
                    node.decide(key, {name: True if name == EXISTS else 1}, at=0)
            self.world.rest()
        assert not [node for node in self.nodes for key in KEYS if node.conflicts(key)]

    @invariant()
    def nobody_is_taken_for_knowing_what_he_does_not(self):
        if hasattr(self, "world"):
            self.world.check_known()


class Two(Peers):
    """A store and a warehouse."""

    LINKS = {"store": ("warehouse",), "warehouse": ("store",)}


class Chain(Peers):
    """The two ends are peers of the middle only."""

    LINKS = {"a": ("b",), "b": ("a", "c"), "c": ("b",)}


class Triangle(Peers):
    """Each node is a peer of both others."""

    LINKS = {"a": ("b", "c"), "b": ("a", "c"), "c": ("a", "b")}
