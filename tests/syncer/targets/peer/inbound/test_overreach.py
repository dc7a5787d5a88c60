"""An account can't get around its permissions by passing on edits of others."""

import pytest

from content.orders.models import Order
from syncer.models import Binding
from syncer.targets.peer.inbound.batch import repair
from tests.syncer.targets.peer.inbound.batches import LAMP, MODEL, binding_of, everything, live, peer, replica

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(settings, transactional_db):
    """A peer with all the permissions that it needs."""
    settings.NODE = "warehouse"
    return peer("shop")


@pytest.fixture
def bare(shop):
    """A peer that may send batches, and write nothing."""
    return peer("store", may=("push_as_peer",))


@pytest.fixture
def lamp(shop):
    """The key of an order that the shop made and this node has."""
    key = shop.node.create(LAMP)
    assert shop.results() == ["applied"]
    return key


def say(node, key, *, fields, seen, **more):
    """Return the result of one item."""
    answer = node.send(node.node.batch(MODEL, [{"key": key, "seen": seen, "fields": fields, **more}]))
    assert answer.status_code == 200, answer.content
    (item,) = answer.json()["items"]
    return item["result"]


def test_whoever_may_not_change_an_object_may_not_claim_to_have_seen_what_is_to_come(shop, bare, lamp):
    held = replica(lamp)
    seen = {shop.node.writer: 1000, bare.node.writer: 1}
    assert say(bare, lamp, fields=held.fields, seen=seen) == "refused"
    shop.node.edit(lamp, quantity=9)
    assert shop.results() == ["applied"]
    assert live(lamp)["quantity"] == 9


def test_nobody_overrules_a_field_with_nothing(shop, lamp):
    before, held = everything(), replica(lamp)
    seen = held.seen | {shop.node.writer: 2}
    exists = [[shop.node.writer, 2, True, "", "", ""]]
    assert say(shop, lamp, fields={"exists": exists}, seen=seen) == "refused"
    assert everything() == before


def test_whoever_may_not_add_an_object_may_not_leave_it_to_a_person_either(bare):
    key = bare.node.create(LAMP | {"quantity": 0})
    item = bare.node.item(key)
    assert say(bare, key, fields=item["fields"], seen=item["seen"], open=True) == "refused"
    assert not Binding.objects.filter(wanted__gt=0).exists()


def test_what_may_not_be_set_is_not_hidden_behind_what_is_not_valid(shop, lamp):
    shop.node.edit(lamp, status="DELIVERED")
    shop.results()
    clerk = peer("store", may=("push_as_peer", "add_order", "change_order"))
    held, writer = replica(lamp), clerk.node.writer
    back = {"status": [[writer, 1, "PENDING", "", "", ""]], "quantity": [[writer, 1, 0, "", "", ""]]}
    assert say(clerk, lamp, fields=held.fields | back, seen=held.seen | {writer: 1}, open=True) == "refused"
    assert replica(lamp).fields == held.fields


def test_what_is_repaired_here_is_not_seen_by_a_peer_that_never_called(shop, lamp):
    silent = peer("store")
    held = replica(lamp)
    held.shadow = {name: value for name, value in (held.shadow or {}).items() if name != "status"}
    held.save()
    repair(silent.route, [replica(lamp)], set())
    assert not Binding.objects.filter(route=silent.route, peer_seen__isnull=False).exists()
    assert binding_of(shop, lamp).peer_seen == {shop.node.writer: 1}
    assert Order.objects.count() == 1
