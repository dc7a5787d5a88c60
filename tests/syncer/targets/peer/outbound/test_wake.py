"""Edits from a peer cost that peer's target nothing, and are still sent to all others."""

import pytest

from content.orders.models import Order
from syncer.engine.runs import run_here
from syncer.engine.wake import sweep
from syncer.models import Binding, Route, Run, Target
from tests.peers.fake_peer import FakePeer
from tests.remote import Remote
from tests.syncer.targets.peer.outbound.support import (
    MODEL,
    NOON,
    binding_of,
    by_itself,
    hand_in,
    order,
    ours,
    quiet,
    target_for,
)

pytestmark = pytest.mark.django_db(transaction=True)
DESK = {"product_name": "desk", "quantity": 1, "status": "PENDING", "created_at": NOON}


def open_runs():
    return sorted(Run.objects.filter(finished_at=None).values_list("target__name", flat=True))


def wait_is_over():
    """Delete the runs, as if every target woken until now had been synced."""
    Run.objects.all().delete()


def test_a_batch_that_came_in_wakes_nobody_for_the_peer_it_came_from(connected, peer, live_server):
    peer.node.create(DESK)
    hand_in(peer, live_server)
    assert open_runs() == []


def test_a_batch_that_met_an_edit_of_ours_wakes_for_the_peer_it_came_from(connected, peer, live_server):
    one = order()
    run_here(connected)
    wait_is_over()
    peer.node.edit(str(one.pk), status="SHIPPED")
    Order.objects.filter(pk=one.pk).update(quantity=2)
    wait_is_over()
    hand_in(peer, live_server)
    assert open_runs() == ["warehouse"]
    by_itself(connected)
    assert peer.node.contents == ours()


def test_what_came_in_is_not_claimed_again(connected, peer, live_server):
    for _ in range(3):
        peer.node.create(DESK)
    hand_in(peer, live_server)
    before = list(Binding.objects.order_by("pk").values("wanted", "delivered", "token"))
    with quiet(peer):
        run = run_here(connected)
    assert (run.total, run.message) == (0, "Nothing to send: the peer has seen all that was edited here.")
    assert list(Binding.objects.order_by("pk").values("wanted", "delivered", "token")) == before


def test_an_edit_of_ours_after_what_came_in_travels(connected, peer, live_server):
    key = peer.node.create(DESK)
    hand_in(peer, live_server)
    Order.objects.filter(pk=key).update(quantity=2)
    run_here(connected)
    assert [item["key"] for item in peer.items] == [key]
    assert peer.node.contents == ours()


def test_a_delete_that_came_in_is_looked_at_and_not_sent_back(connected, peer, live_server):
    one = order()
    run_here(connected)
    peer.node.delete(str(one.pk))
    hand_in(peer, live_server)
    wanted = binding_of(one).wanted
    with quiet(peer):
        run_here(connected)
    assert binding_of(one).wanted == binding_of(one).delivered == wanted + 1


def test_what_came_in_is_carried_to_other_peers_and_services(connected, peer, live_server):
    with FakePeer("annex") as annex, Remote() as remote:
        beyond = target_for(annex)
        rest = Target.objects.create(name="rest", url=remote.url)
        Route.objects.create(
            target=rest, model=MODEL, path="/posts", fields={"name": "product_name"}, lookup=["name"], trigger="change"
        )
        for one in (beyond, rest):
            run_here(one)
        wait_is_over()
        peer.node.create(DESK)
        hand_in(peer, live_server)
        assert {"annex", "rest"} <= set(open_runs())
        for one in (beyond, rest):
            run_here(one)
        assert annex.node.contents == peer.node.contents == ours()
        assert [record["name"] for record in remote.posts.values()] == ["desk"]
        annex.clear_journal()
        with quiet(peer), quiet(annex):
            for one in (connected, beyond):
                run_here(one)


def test_many_batches_leave_one_empty_run_at_most_and_the_mark_moves_on(connected, peer, live_server):
    wait_is_over()
    marks = set()
    for _ in range(4):
        key = peer.node.create(DESK)
        hand_in(peer, live_server, keys=[key])
        with quiet(peer):
            assert sweep() == 1
            by_itself(connected)
            marks.add(Route.objects.get().mark)
            assert sweep() == 0
    assert len(marks) == 4
    assert [(run.total, run.attempts.count()) for run in Run.objects.all()] == [(0, 0)]
