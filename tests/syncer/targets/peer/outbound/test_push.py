"""Pushing our edits to a peer: what is sent, in batches of which size, and what is not."""

import json

import pytest

from backoffice.kit import clock, context
from backoffice.kit.context import Cause, caused_by
from content.orders.models import Order
from syncer.engine.runs import run_here
from syncer.engine.wake import sweep
from syncer.models import Attempt, Target
from syncer.targets.peer import identity
from syncer.targets.peer.message import BYTES, LARGEST
from syncer.targets.peer.outbound import push
from tests.syncer.targets.peer.outbound.support import (
    MODEL,
    NOON,
    binding_of,
    hand_in,
    order,
    ours,
    quiet,
    replica,
    sent,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_save_is_one_item_of_one_request(connected, peer):
    one = order()
    run_here(connected)
    assert sent(peer) == [[str(one.pk)]]
    assert peer.node.contents == ours()


def test_an_edit_travels_with_its_number_its_person_and_its_reason(connected, peer, admin_user):
    one = order()
    run_here(connected)
    peer.clear_journal()
    one.quantity = 2
    with caused_by(Cause(user=lambda: admin_user, reason="by phone")):
        one.save()
    run_here(connected)
    [item] = peer.items
    [[writer, number, value, user, reason, at]] = item["fields"]["quantity"]
    assert (number, value, user, reason) == (2, 2, "admin", "by phone")
    assert item["seen"] == {writer: 2}
    assert at


def test_five_hundred_objects_are_one_request_and_one_more_makes_two(connected, peer):
    Order.objects.bulk_create(Order(product_name="desk", quantity=1) for _ in range(500))
    run_here(connected)
    assert [len(keys) for keys in sent(peer)] == [500]
    peer.clear_journal()
    Order.objects.bulk_create(Order(product_name="desk", quantity=1) for _ in range(501))
    run_here(connected)
    assert sorted(len(keys) for keys in sent(peer)) == [1, 500]
    assert peer.node.contents == ours()


def test_a_batch_ends_at_about_a_megabyte(connected, peer):
    long = "ü" * 255  # six characters each in JSON
    reason = "w" * 100
    with context.caused_by(context.Cause(reason=reason)):
        Order.objects.bulk_create(Order(product_name=long, quantity=1) for _ in range(LARGEST))
    run_here(connected)
    sizes = [len(entry.raw) for entry in peer.journal]
    assert len(sizes) == 2
    assert all(size < BYTES + 10_000 for size in sizes)
    assert peer.node.contents == ours()


def test_an_item_that_is_bigger_than_a_batch_may_be_goes_alone(connected, peer, monkeypatch):
    monkeypatch.setattr(push, "BYTES", 100)
    some = [order(), order()]
    run_here(connected)
    assert sorted(sent(peer)) == sorted([str(one.pk)] for one in some)


def test_after_quiet_not_one_request(connected, peer):
    one = order()
    run_here(connected)
    with quiet(peer):
        assert run_here(connected).counts["left"] == 0
        assert sweep() == 0
    Order.objects.filter(pk=one.pk).update(updated_at=clock.now())  # does not travel
    with quiet(peer):
        run_here(connected)
    assert binding_of(one).delivered == binding_of(one).wanted


def test_what_came_from_the_peer_is_not_sent_back_to_it(connected, peer, live_server):
    key = peer.node.create({"product_name": "desk", "quantity": 1, "status": "PENDING", "created_at": NOON})
    one = order()
    run_here(connected)
    peer.node.edit(str(one.pk), status="SHIPPED")
    assert hand_in(peer, live_server)["items"]
    assert ours() == peer.node.contents
    assert ours()[key]["product_name"] == "desk"
    with quiet(peer):
        run_here(connected)


def test_an_edit_of_both_travels_once_each_way(connected, peer, live_server):
    one = order()
    run_here(connected)
    peer.node.edit(str(one.pk), status="SHIPPED")
    Order.objects.filter(pk=one.pk).update(quantity=5)
    hand_in(peer, live_server)
    run_here(connected)
    assert peer.node.contents == ours()
    assert (ours()[str(one.pk)]["quantity"], ours()[str(one.pk)]["status"]) == (5, "SHIPPED")
    with quiet(peer):
        run_here(connected)
    assert peer.node.news(MODEL)["items"] == []


def test_what_was_changed_and_changed_back_is_not_sent(connected, peer):
    one = order()
    run_here(connected)
    Order.objects.filter(pk=one.pk).update(quantity=2)
    Order.objects.filter(pk=one.pk).update(quantity=1)
    with quiet(peer):
        run_here(connected)
    assert replica(one).seen == {identity.writer(): 1}


def test_what_was_made_and_deleted_before_the_sync_is_not_sent(connected, peer):
    order().delete()
    with quiet(peer):
        assert run_here(connected).state == "done"


def test_a_delete_travels_and_is_remembered(connected, peer):
    one = order()
    run_here(connected)
    key, row = str(one.pk), binding_of(one)
    one.delete()
    run_here(connected)
    assert peer.node.content(key) is None
    [item] = peer.items[1:]
    assert [edit[2] for edit in item["fields"]["exists"]] == [False]
    row.refresh_from_db()
    assert (row.remote_id, row.record, row.last_remote_id) == (None, None, f'"{key}"')
    with quiet(peer):
        run_here(connected)


def test_an_attempt_shows_what_was_sent_and_answered_of_its_object_alone(connected, peer, monkeypatch):
    monkeypatch.setenv("SYNC_PEER", "the secret of the peer")
    Target.objects.update(auth="basic", auth_user="store", auth_secret="env:SYNC_PEER")
    some = [order(product_name="desk"), order(product_name="lamp")]
    run_here(Target.objects.get())
    for one in some:
        [attempt] = binding_of(one).attempts.all()
        assert (attempt.action, attempt.outcome, attempt.status, attempt.method) == ("push", "done", 200, "POST")
        assert attempt.url == f"{peer.api_url}/sync/changes"
        item = attempt.request or {}
        assert (item["key"], item["fields"]["product_name"][0][2]) == (
            str(one.pk),
            one.product_name,
        )
        assert json.loads(attempt.answer) == {
            "key": str(one.pk),
            "result": "applied",
            "seen": {identity.writer(): 1},
            "fields": {},
        }
        assert "the secret" not in json.dumps([attempt.request, attempt.answer])


def test_a_peer_that_sends_our_secret_back_is_not_believed_and_it_is_not_kept(connected, peer, monkeypatch):
    monkeypatch.setenv("SYNC_PEER", "the-secret-of-the-peer")
    Target.objects.update(auth="bearer", auth_secret="env:SYNC_PEER")
    peer.twists.append(lambda answer: {**answer, "echo": "the-secret-of-the-peer"})
    one = order()
    run_here(Target.objects.get())
    assert "sent our own secret back" in binding_of(one).reason
    assert "the-secret" not in "".join(Attempt.objects.values_list("answer", flat=True))
