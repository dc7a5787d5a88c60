"""The end: everything arrives, pushes continue until nothing is due, then all nodes must be equal and stay silent."""

from collections.abc import Iterable

from syncer.core.merge import State
from tests.simulator.peers.ledger import ASK, EXISTS, NONE, Content, Ledger, reached
from tests.simulator.peers.network import Answer, Message, Network
from tests.simulator.peers.node import Node

ROUNDS = 12  # at most, until nothing is due: three nodes, a second comparison after a restore, and a margin


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
        """Deliver a message or an answer; return the answer to a message."""
        node = self.nodes[one.receiver]
        if isinstance(one, Answer):
            node.answered(one)
            return None
        return node.take_in(one, is_newest=node.learn(one))

    def exchange(self, message: Message | None) -> None:
        """Deliver a message and its answer at once."""
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
        self.exchange(node.handshake(peer))
        for binding in node.due(peer):
            self.exchange(node.push(node.claim(binding)))

    def come_to_rest(self) -> int:
        """Sync all links until nothing is due, and return the number of messages sent."""
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
        """Deliver everything, come to rest, and check the laws."""
        known = {key: self._known(key) for key in self.keys}
        self.deliver_all()
        self.come_to_rest()
        self._check_equal()
        for key, edits in known.items():
            for node in self.nodes.values():
                assert edits <= self.ledger.known.get((node.name, key), NONE), (
                    f"{node.name} never received an edit of {key}"
                )
        kept = set(self.ledger.made) - self.ledger.dropped
        everywhere = set().union(*(self._known(key) for key in self.keys))
        assert kept <= everywhere, f"edits that nobody knows: {kept - everywhere}"
        self._check_silence()
        reached["at rest"] += 1

    def _known(self, key: str) -> frozenset[int]:
        """Return the edits that any node knows."""
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
        """Check law 7: if everything is compared again, and old messages arrive again, nothing is sent."""
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
        """Return all messages ever sent, without those that have edits which a restore removed from every node."""
        known, past = self.ledger.known, self.network.past
        return [one for one in past if isinstance(one, Answer) or one.edits <= known.get((one.receiver, one.key), NONE)]

    def check_price(self, node: Node, key: str, live: Content) -> None:
        """Check that at rest an edit costs at most one message for each link."""
        node.save(key, live, at=0)
        sent = self.come_to_rest()
        assert sent <= self.links, f"one edit took {sent} messages"
        self._check_equal()

    def check_known(self) -> None:
        """Check that no node overestimates a peer's version vector in the incarnation that it knows."""
        for node in self.nodes.values():
            for (peer, key), binding in node.rows.bindings.items():
                other = self.nodes[peer]
                if node.rows.peer_incarnations.get(peer, 0) == other.incarnation and binding.peer_seen:
                    seen = other.rows.states.get(key, State()).seen
                    over = {name: n for name, n in binding.peer_seen.items() if seen.get(name, 0) < n}
                    assert not over, f"{node.name} believes that {peer} knows {over} of {key}"


def _decided(live: Content, waits: Iterable[str]) -> Content:
    return live and {name: value for name, value in live.items() if name not in waits}
