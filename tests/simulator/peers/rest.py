"""The end: everything arrives, what is due is handed over until nothing is, then all must be equal and stay silent."""

from collections.abc import Iterable

from syncer.core.merge import State
from tests.simulator.peers.ledger import ASK, EXISTS, NONE, Content, Ledger, reached
from tests.simulator.peers.network import Answer, Message, Network
from tests.simulator.peers.node import Node

ROUNDS = 12  # at most, until nothing is due: three nodes, a restore's second look, and room


class World:
    """All nodes, by name, and the network between them."""

    def __init__(self, nodes: Iterable[Node], ledger: Ledger) -> None:
        self.nodes = {node.name: node for node in nodes}
        self.network, self.ledger = Network(), ledger

    @property
    def links(self) -> int:
        return sum(len(node.peers) for node in self.nodes.values()) // 2

    @property
    def keys(self) -> list[str]:
        return sorted({key for node in self.nodes.values() for key in (*node.rows.live, *node.rows.states)})

    def deliver(self, one: Message | Answer) -> Answer | None:
        """It arrives; the answer, if it was a message."""
        node = self.nodes[one.receiver]
        if isinstance(one, Answer):
            node.answered(one)
            return None
        return node.take_in(one, is_newest=node.learn(one))

    def exchange(self, message: Message | None) -> None:
        """It arrives at once, and so does its answer."""
        one: Message | Answer | None = message
        while one:
            one = self.deliver(self.network.carry(one))

    def deliver_all(self) -> None:
        """All that is on its way arrives, and the answers to it."""
        while self.network.flying:
            if answer := self.deliver(self.network.flying.pop(0)):
                self.network.send(answer)

    def sync(self, node: Node, peer: str) -> None:
        """A whole run that nothing disturbs."""
        node.plan(peer)
        self.exchange(node.greet(peer))
        for binding in node.due(peer):
            self.exchange(node.push(node.claim(binding)))

    def come_to_rest(self) -> int:
        """How many messages it took."""
        before = self.network.messages
        for _ in range(ROUNDS):
            sent = self.network.messages
            for node in self.nodes.values():
                for peer in node.peers:
                    self.sync(node, peer)
            if sent == self.network.messages and not any(self._due()):
                return sent - before
        raise AssertionError("messages go round for ever")

    def _due(self) -> list[tuple[str, str]]:
        return [binding for node in self.nodes.values() for peer in node.peers for binding in node.due(peer)]

    def rest(self) -> None:
        """Heal, and see that the laws hold."""
        told = {key: self._known(key) for key in self.keys}
        self.deliver_all()
        self.come_to_rest()
        self._check_equal()
        for key, edits in told.items():
            for node in self.nodes.values():
                assert edits <= self.ledger.known.get((node.name, key), NONE), (
                    f"{node.name} was never told an edit of {key}"
                )
        kept = set(self.ledger.made) - self.ledger.dropped
        everywhere = set().union(*(self._known(key) for key in self.keys))
        assert kept <= everywhere, f"edits that nobody knows: {kept - everywhere}"
        self._check_silence()
        reached["at rest"] += 1

    def _known(self, key: str) -> frozenset[int]:
        """What any node knows."""
        return frozenset().union(*(self.ledger.known.get((name, key), NONE) for name in self.nodes))

    def _check_equal(self) -> None:
        first, *others = self.nodes.values()
        for key in self.keys:
            for other in others:
                states = (first.rows.states.get(key, State()), other.rows.states.get(key, State()))
                assert states[0] == states[1], f"{first.name} and {other.name} hold different states of {key}: {states}"
                waits = first.conflicts(key) | other.conflicts(key)
                pair = (_decided(first.rows.live.get(key), waits), _decided(other.rows.live.get(key), waits))
                assert EXISTS in waits or pair[0] == pair[1], f"{first.name} and {other.name} differ in {key}: {pair}"
                assert all(self.ledger.decides.get(name) == ASK for name in waits), waits

    def _check_silence(self) -> None:
        """Law 7: with all of it looked at again, and old messages once more, nothing is sent."""
        sent = self.network.messages
        for node in self.nodes.values():
            for binding in list(node.rows.bindings):
                node.want(binding)
        assert self.come_to_rest() == 0, "something was sent that the other one had seen"
        for old in self._no_news()[::7]:
            self.deliver(old)
        self.come_to_rest()
        assert self.network.messages == sent, "an old message made nodes talk"
        self._check_equal()

    def _no_news(self) -> list[Message | Answer]:
        """What was ever sent, but for messages with edits that a restore has taken from everybody."""
        known, past = self.ledger.known, self.network.past
        return [one for one in past if isinstance(one, Answer) or one.told <= known.get((one.receiver, one.key), NONE)]

    def check_price(self, node: Node, key: str, live: Content) -> None:
        """At rest an edit costs one message for each link, and no more."""
        node.save(key, live, at=0)
        sent = self.come_to_rest()
        assert sent <= self.links, f"one edit took {sent} messages"
        self._check_equal()

    def check_known(self) -> None:
        """No node takes a peer for having seen what it has not, in the life that it is known to be in."""
        for node in self.nodes.values():
            for (peer, key), binding in node.rows.bindings.items():
                other = self.nodes[peer]
                if node.rows.heard.get(peer, 0) == other.incarnation and binding.peer_seen:
                    seen = other.rows.states.get(key, State()).seen
                    over = {name: n for name, n in binding.peer_seen.items() if seen.get(name, 0) < n}
                    assert not over, f"{node.name} takes {peer} for knowing {over} of {key}"


def _decided(live: Content, waits: Iterable[str]) -> Content:
    return live and {name: value for name, value in live.items() if name not in waits}
