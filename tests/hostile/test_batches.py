"""Peers' batches that come again, late or altered."""

import json

import pytest

from content.orders.models import Order
from tests.hostile.cases import KEPT, REFUSED, counted, nothing_written
from tests.syncer.targets.peer.inbound.batches import CHANGES, LAMP, MODEL, everything, live, peer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store(settings, transactional_db):
    settings.NODE = "warehouse"
    return peer("store")


@counted("peer, batch: repeats and changes on the way", KEPT)
def test_a_batch_that_is_replayed_late_changes_nothing(store):
    key = store.node.create(LAMP)
    old = store.node.news(MODEL)
    assert store.results() == ["applied"]
    store.node.edit(key, quantity=9)
    assert store.results() == ["applied"]
    Order.objects.filter(pk=key).update(status="SHIPPED")
    before = live(key)
    assert [item["result"] for item in store.send(old).json()["items"]] == ["already there"]
    assert live(key) == before == LAMP_NOW
    settled = everything()
    assert store.send(old).status_code == 200
    assert everything() == settled


LAMP_NOW = {"product_name": "desk lamp", "quantity": 9, "status": "SHIPPED"}


@counted("peer, batch: repeats and changes on the way", REFUSED)
def test_a_batch_that_another_account_sends_again_is_refused(store):
    shop = peer("shop")
    store.node.create(LAMP)
    batch = store.node.news(MODEL)
    with nothing_written():
        answer = shop.send(batch)
    assert answer.status_code == 403
    assert "store" in answer.json()["detail"]


ALTERED = [
    ("node", "shop"), ("writer", "shop:0123456789"), ("model", "accounts.User"), ("model", "orders.order"), ("v", 99),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), ALTERED)
@counted("peer, batch: repeats and changes on the way", REFUSED, tests=len(ALTERED))
def test_a_batch_whose_head_was_altered_is_refused(store, name, value):
    store.node.create(LAMP)
    batch = store.node.news(MODEL)
    assert store.send(store.node.batch()).status_code == 200
    with nothing_written():
        answer = store.send({**batch, name: value})
    assert answer.status_code in (403, 409, 422)
    assert answer.json()["detail"]


@counted("peer, batch: repeats and changes on the way", REFUSED)
def test_a_key_of_an_answer_that_is_used_for_another_batch_is_refused(store):
    headers = {"Idempotency-Key": "one"}
    store.node.create(LAMP)
    first = store.node.news(MODEL)
    post = {"content_type": "application/json", "headers": headers}
    assert store.client.post(CHANGES, json.dumps(first), **post).status_code == 200
    store.node.create(LAMP)
    with nothing_written():
        answer = store.client.post(CHANGES, json.dumps(store.node.news(MODEL)), **post)
    assert answer.status_code == 422
