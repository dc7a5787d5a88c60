import pytest

from tests.syncer.targets.peer.inbound.batches import LAMP, Peer, peer


@pytest.fixture
def store(settings, transactional_db) -> Peer:
    """The other node; we are the warehouse."""
    settings.NODE = "warehouse"
    return peer("store")


@pytest.fixture
def lamp(store) -> str:
    """The key of an order of the store's that both have."""
    key: str = store.node.create(LAMP)
    assert store.results() == ["applied"]
    return key
