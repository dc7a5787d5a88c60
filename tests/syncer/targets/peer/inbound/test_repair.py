"""Repair: an edit here makes valid what could not be written before."""

import pytest

from content.orders.models import Order
from syncer.core.merge import Rules
from syncer.engine.runs import run_here
from syncer.models.mapping import declarations
from tests.content.api_client import ApiClient
from tests.peers.fake_peer import FakePeer
from tests.syncer.targets.peer.inbound.batches import (
    LAMP,
    MAY,
    MODEL,
    Peer,
    account,
    live,
    replica,
    target_for,
    versions,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store(settings, transactional_db):
    """The other node, which also accepts pushes."""
    settings.NODE = "warehouse"
    with FakePeer("store", rules=Rules(authority=declarations()[MODEL].authority)) as fake:
        user = account("store", *MAY)
        target = target_for("store", user)
        target.url = fake.api_url
        target.save()
        yield Peer(fake.node, target, ApiClient(user))


@pytest.fixture
def waiting(store):
    """The key of an order with a conflict: the store's edit is not valid here, with or without this node's own."""
    key = store.node.create(LAMP)
    store.results()
    Order.objects.filter(pk=key).update(status="SHIPPED")
    store.node.edit(key, quantity=0, product_name="floor lamp")
    assert store.results() == ["conflict"]
    return key


def save(key, **values):
    order = Order.objects.get(pk=key)
    for name, value in values.items():
        setattr(order, name, value)
    order.save()


def test_a_valid_edit_here_clears_the_conflict_and_the_rest_of_what_they_did_is_written(store, waiting):
    save(waiting, quantity=4)
    run_here(store.target)
    assert live(waiting) == {"product_name": "floor lamp", "quantity": 4, "status": "SHIPPED"}
    assert replica(waiting).conflicts is None
    assert versions(waiting)[-1][:2] == ("~", "store")


def test_then_both_ends_are_equal_and_nothing_is_left_to_send(store, waiting):
    save(waiting, quantity=4)
    run_here(store.target)
    assert store.node.content(waiting) == LAMP | {"product_name": "floor lamp", "quantity": 4, "status": "SHIPPED"}
    seen = replica(waiting).seen
    run_here(store.target)
    assert replica(waiting).seen == seen == store.node.held[waiting].state.seen


def test_an_edit_here_that_leaves_it_invalid_leaves_it_waiting(store, waiting):
    save(waiting, status="DELIVERED")
    run_here(store.target)
    assert live(waiting) == {"product_name": "desk lamp", "quantity": 2, "status": "DELIVERED"}
    assert [*(replica(waiting).conflicts or ())] == ["quantity"]
