"""The other back office of a pair as a real HTTP server on loopback; it records every request and fails on demand.

with FakePeer("warehouse") as peer: ...                          # target: url=peer.api_url, peer_node="warehouse"
peer.fault(Fault.RESET, act=True)                                # applies a batch, loses the answer; see tests.remote
key = peer.node.create({"product_name": "desk", …}); peer.node.edit(key, quantity=2); peer.node.delete(key)
peer.node.refuses[key] = {"quantity": ["Too many."]}             # also later, leaves_out
peer.node.reborn()                                               # a new incarnation
peer.twists.append(lambda answer: {**answer, "node": "other"})   # falsify all answers
assert len(peer.batches) == 1                                    # the batches that it received, in order
status, answer = peer.push(url, "orders.Order", user="peer", password="…")   # its own batch, to a live server
"""

import base64
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Collection, Mapping
from typing import Any

from syncer.core.merge import Rules
from syncer.targets.peer.message import PATH
from tests.peers.fake_node import FakeNode, Twist
from tests.remote.api import NOT_ALLOWED, NOT_FOUND, Answer, Api, Call
from tests.remote.remote import Remote

UNDER = "/api"
SECONDS = 30  # time limit of its own requests


class FakePeer(Remote):
    """A running peer. Faults, sign-in and journal are those of the Fake API.

    Attributes:
        node: its objects.
        twists: changes to each answer before it is sent, in order.
    """

    def __init__(self, name: str = "warehouse", *, rules: Rules | None = None) -> None:
        super().__init__()
        self.node = FakeNode(name, rules=rules)
        self.twists: list[Twist] = []
        self.api = _PeerApi(self)

    @property
    def api_url(self) -> str:
        """The address for a target."""
        return self.url + UNDER

    @property
    def batches(self) -> list[dict[str, Any]]:
        """The bodies of the batches that it received, with those that it failed on, and with handshakes."""
        return [entry.body for entry in self.journal if entry.path == UNDER + PATH and entry.body]

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items of all batches."""
        return [item for batch in self.batches for item in batch.get("items", [])]

    def push(
        self, url: str, model: str, *, user: str, password: str, keys: Collection[str] | None = None
    ) -> tuple[int, Any]:
        """Send its news (or all of `keys`) to the node with the API at `url`; return the answer's status and JSON."""
        status, answer = self.post(url, self.node.news(model, keys=keys), user=user, password=password)
        if status == 200:
            self.node.record_contact(answer["writer"])
            self.node.note_answer(answer)
        return status, answer

    def post(self, url: str, batch: Mapping[str, Any], *, user: str, password: str) -> tuple[int, Any]:
        """Send a batch unchanged; return the answer's status and JSON."""
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers = {"Content-Type": "application/json", "Authorization": f"Basic {pair}"}
        request = urllib.request.Request(url + PATH, json.dumps(batch).encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)


class _PeerApi(Api):
    """`POST /api/sync/changes`; one batch at a time."""

    def __init__(self, peer: FakePeer) -> None:
        super().__init__(peer.store)
        self._peer = peer
        self._lock = threading.Lock()

    def _answer(self, call: Call, address: str) -> Answer:
        if call.path != UNDER + PATH:
            return NOT_FOUND
        if call.method != "POST":
            return NOT_ALLOWED
        node = self._peer.node
        with self._lock:
            node.record_contact(call.body["writer"])
            results = node.take_in(call.body.get("items", []))
            answer = {"node": node.name, "writer": node.writer, "items": results}
            for twist in self._peer.twists:
                answer = twist(answer)
        return Answer(200, answer, applied=True)
