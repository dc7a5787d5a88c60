import pytest

from tests.syncer.targets.peer.inbound.batches import LAMP, Peer, peer


@pytest.fixture
def store(settings, transactional_db) -> Peer:
    """The other node, a store; this one is the warehouse."""
    settings.NODE = "warehouse"
    return peer("store")


@pytest.fixture
def lamp(store) -> str:
    """The key of an order that the store made and both nodes have."""
    key: str = store.node.create(LAMP)
    assert store.results() == ["applied"]
    return key
