"""Writes here while a peer sends a batch, each in its own database session."""

from functools import partial
from uuid import uuid4

import pytest
from django.db import connection, transaction

from content.orders.models import Order
from syncer.engine.plan import raise_keys
from syncer.models import Replica
from tests.content.locks import Other, blocked_sessions
from tests.flows.wait import until
from tests.syncer.targets.peer.inbound.batches import LAMP, binding_of, everything, live, peer, replica, versions

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
SECONDS = 20


def blocked():
    until(blocked_sessions, seconds=SECONDS)


def test_an_object_that_somebody_is_writing_comes_after_the_others(store):
    keys = sorted(store.node.create(LAMP) for _ in range(3))
    store.results()
    for key in keys:
        store.node.edit(key, quantity=9)
    with transaction.atomic():
        order = Order.objects.get(pk=keys[0])
        order.status = "SHIPPED"
        order.save()
        other = Other(store.hand_in)
        blocked()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            assert len(cursor.fetchall()) == 1
        assert [live(key)["quantity"] for key in keys] == [2, 9, 9]  # those were committed before it waited
    assert {result["key"]: result["result"] for result in other.end()} == {
        keys[0]: "merged",
        keys[1]: "applied",
        keys[2]: "applied",
    }
    assert live(keys[0]) == {"product_name": "desk lamp", "quantity": 9, "status": "SHIPPED"}


def test_one_that_is_written_for_too_long_is_put_off_and_nothing_of_it_is_kept(store, lamp):
    store.node.edit(lamp, quantity=9)
    before = everything()
    with transaction.atomic():
        Order.objects.select_for_update().get(pk=lamp)
        (result,) = Other(store.hand_in).end()
    assert result["result"] == "later"
    assert result["fields"] == {"": ["Somebody is writing it just now."]}
    assert "seen" not in result
    assert everything() == before
    assert store.results() == ["applied"]


def test_an_editor_who_locks_in_another_order_is_never_the_victim(store):
    keys = sorted(store.node.create(LAMP) for _ in range(2))
    store.results()
    for key in keys:
        store.node.edit(key, quantity=9)
    with transaction.atomic():
        Order.objects.select_for_update().get(pk=keys[1])
        other = Other(store.hand_in)
        blocked()
        Order.objects.filter(pk=keys[0]).update(status="SHIPPED")  # it would wait in a circle
        Order.objects.filter(pk=keys[1]).update(status="SHIPPED")
    assert {result["result"] for result in other.end()} <= {"applied", "merged"}
    assert [live(key) for key in keys] == [LIKE | {"status": "SHIPPED"}] * 2


LIKE = {"product_name": "desk lamp", "quantity": 9}


def test_an_object_that_is_being_made_here_under_the_same_key_is_waited_for(store):
    key = str(uuid4())
    good = store.node.create(LAMP)
    store.node.create(LAMP, key=key)
    with transaction.atomic():
        Order.objects.create(pk=key, product_name="wall hook", quantity=1, status="SHIPPED")
        other = Other(store.hand_in)
        blocked()
    assert {result["key"]: result["result"] for result in other.end()} == {good: "applied", key: "merged"}
    assert live(key) == {"product_name": "desk lamp", "quantity": 2, "status": "SHIPPED"}


def test_two_peers_push_the_same_new_object_at_once(store):
    shop = peer("shop")
    keys = sorted(store.node.create(LAMP) for _ in range(20))
    for key in keys:
        shop.node.take_in([store.node.item(key)])
    holder = Replica.objects.create(model="orders.Order", object_key=keys[0])
    with transaction.atomic():  # both wait for one lock, and start together
        Replica.objects.select_for_update().get(pk=holder.pk)
        others = [Other(partial(one.hand_in, *keys)) for one in (store, shop)]
        until(lambda: blocked_sessions() >= 2, seconds=SECONDS)
    found = [{result["key"]: result["result"] for result in other.end()} for other in others]
    for key in keys:
        assert sorted(one[key] for one in found) == ["already there", "applied"]
        assert len(versions(key)) == 1


def test_batches_in_other_orders_with_new_and_old_objects_do_not_wait_in_a_circle(store):
    keys = [store.node.create(LAMP) for _ in range(30)]
    store.hand_in(*keys[:10])
    for key in keys:
        store.node.edit(key, quantity=9)
    batches = [keys[:20], list(reversed(keys)), keys[10:], keys[5:25]]
    others = [Other(partial(store.results, *one)) for one in batches]
    results = [result for other in others for result in other.end()]
    assert set(results) <= {"applied", "already there"}
    assert {live(key)["quantity"] for key in keys} == {9}


def test_a_planner_that_makes_bindings_meanwhile_is_never_in_a_circle(store, lamp):
    """The planner inserts and raises in the order of the keys, and so does a batch."""
    low, high = "0" * 8 + str(uuid4())[8:], "f" * 8 + str(uuid4())[8:]
    for key in (low, high):
        store.node.create(LAMP, key=key)
    store.hand_in(high)
    store.node.edit(high, quantity=9)
    with transaction.atomic():
        raise_keys(store.route, [low])
        other = Other(lambda: store.results(low, high))
        blocked()
        raise_keys(store.route, [high])
    assert other.end() == ["applied", "applied"]


def test_a_newer_incarnation_that_speaks_meanwhile_is_not_taken_to_have_seen_what_the_older_one_had(store, lamp):
    key = store.node.create(LAMP)
    with transaction.atomic():
        Order.objects.select_for_update().get(pk=lamp)
        store.node.edit(lamp, quantity=9)
        old = store.node.news("orders.Order")
        other = Other(lambda: store.send(old))
        blocked()
        store.node.reborn()
        answers = Other(lambda: store.send(store.node.batch()))
        until(lambda: blocked_sessions() >= 2, seconds=SECONDS)
    assert other.end().status_code == answers.end().status_code == 200
    assert binding_of(store, key).peer_seen is None
    assert binding_of(store, lamp).peer_seen is None
    assert replica(key).seen == {store.node.writers[0]: 1}
