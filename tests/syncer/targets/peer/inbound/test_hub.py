"""More than two nodes: edits from one peer become due at the others, and only there."""

import pytest

from content.orders.models import Order
from syncer.models import Binding
from tests.syncer.targets.peer.inbound.batches import LAMP, binding_of, live, peer, replica

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(store):
    return peer("shop")


def wanted(at, key):
    return binding_of(at, key).wanted


def test_what_came_from_one_peer_is_wanted_at_the_others_and_only_there(store, shop):
    key = store.node.create(LAMP)
    store.results()
    assert (wanted(store, key), wanted(shop, key)) == (0, 1)
    assert binding_of(shop, key).peer_seen is None
    assert store.results(key) == ["already there"]
    assert (wanted(store, key), wanted(shop, key)) == (0, 1)


def test_a_delete_that_came_from_one_peer_is_wanted_at_the_others(store, shop):
    key = store.node.create(LAMP)
    store.results()
    store.node.delete(key)
    store.results()
    assert (wanted(store, key), wanted(shop, key)) == (0, 2)


def test_what_merged_is_wanted_at_both(store, shop):
    key = store.node.create(LAMP)
    store.results()
    Order.objects.update(status="SHIPPED")
    store.node.edit(key, quantity=9)
    assert store.results() == ["merged"]
    assert (wanted(store, key), wanted(shop, key)) == (1, 2)


def test_where_only_causality_grew_it_is_wanted_at_the_others_though_no_content_changed(store, shop):
    key = store.node.create(LAMP)
    store.results()
    store.takes(key)
    store.node.decide(key, quantity=2)
    history = Order.history.count()
    assert store.results() == ["applied"]
    assert Order.history.count() == history
    assert (wanted(store, key), wanted(shop, key)) == (0, 2)


def test_one_edit_that_comes_from_both_peers_is_applied_once(store, shop):
    key = store.node.create(LAMP)
    store.results()
    shop.node.take_in([store.node.item(key)])
    assert shop.results(key) == ["already there"]
    assert binding_of(shop, key).peer_seen == replica(key).seen
    assert Order.history.count() == 1


def test_what_two_peers_edited_apart_is_decided_by_authority_whichever_comes_first(store, shop):
    key = store.node.create(LAMP)
    store.results()
    shop.node.take_in([store.node.item(key)])
    shop.node.edit(key, quantity=5)
    store.node.edit(key, quantity=9)
    assert shop.results(key) == ["applied"]
    assert store.results() == ["merged"]
    assert live(key)["quantity"] == 9
    assert wanted(store, key) == 2  # for what the shop had done
    assert Binding.objects.count() == 2


def test_a_switched_off_peer_finds_it_wanted_later(store, shop):
    shop.target.enabled = False
    shop.target.save()
    key = store.node.create(LAMP)
    store.results()
    assert wanted(shop, key) == 1


def test_an_edit_here_that_was_found_while_a_peer_pushed_is_wanted_at_all(store, shop):
    key = store.node.create(LAMP)
    store.results()
    Order.objects.update(quantity=0 + 5)
    store.node.edit(key, status="LOST")
    assert store.results() == ["conflict"]
    assert (wanted(store, key), wanted(shop, key)) == (1, 2)
