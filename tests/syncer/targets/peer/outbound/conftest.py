from collections.abc import Iterator

import pytest

from syncer.core.merge import Rules
from syncer.engine.runs import run_here
from syncer.models import Target
from syncer.models.mapping import declarations
from tests.peers.fake_peer import FakePeer
from tests.syncer.targets.peer.outbound.support import MODEL, target_for


@pytest.fixture
def peer(settings) -> Iterator[FakePeer]:
    """The warehouse; this node is the store."""
    settings.NODE = "store"
    with FakePeer("warehouse", rules=Rules(authority=declarations()[MODEL].authority)) as peer:
        yield peer


@pytest.fixture
def pair(peer: FakePeer, transactional_db: None) -> Target:
    """The warehouse as a target, with a route for orders; it signs in here as `peer`."""
    return target_for(peer)


@pytest.fixture
def connected(pair: Target, peer: FakePeer) -> Target:
    """The target after the handshake: every request to the peer is a batch from here on."""
    run_here(pair)
    peer.clear_journal()
    return pair
