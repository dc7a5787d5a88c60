"""Handing our edits over: what is sent to a peer, how much of it at a time, and what is not."""

import pytest

from content.orders.models import Order
from syncer.peers.message import LARGEST
from syncer.runs import run_here
from tests.syncer.peers.push.support import order, ours, sent

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_save_is_one_item_of_one_request(greeted, peer):
    one = order()
    run_here(greeted)
    assert sent(peer) == [[str(one.pk)]]
    assert peer.node.contents == ours()


def test_an_edit_travels_with_its_number_its_person_and_its_reason(greeted, peer, admin_user):
    one = order()
    run_here(greeted)
    peer.clear_journal()
    one.quantity = 2
    vars(one).update(_history_user=admin_user, _change_reason="by phone")
    one.save()
    run_here(greeted)
    [item] = peer.items
    [[writer, number, value, user, reason, at]] = item["fields"]["quantity"]
    assert (number, value, user, reason) == (2, 2, "admin", "by phone")
    assert item["seen"] == {writer: 2}
    assert at


def test_five_hundred_objects_are_one_request_and_one_more_makes_two(greeted, peer):
    Order.objects.bulk_create(Order(product_name="desk", quantity=1) for _ in range(LARGEST))
    run_here(greeted)
    assert [len(keys) for keys in sent(peer)] == [LARGEST]
    peer.clear_journal()
    Order.objects.bulk_create(Order(product_name="desk", quantity=1) for _ in range(LARGEST + 1))
    run_here(greeted)
    assert sorted(len(keys) for keys in sent(peer)) == [1, LARGEST]
    assert peer.node.contents == ours()
