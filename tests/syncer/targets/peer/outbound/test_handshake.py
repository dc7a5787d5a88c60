"""The handshake: the nodes and incarnations of both ends."""

import pytest

from content.orders.models import Order
from syncer.engine.runs import run_here
from syncer.engine.wake import sweep
from syncer.models import Binding, Incarnation, Run, Target
from syncer.targets.peer import identity
from tests.remote import Fault
from tests.syncer.support import let_time_pass
from tests.syncer.targets.peer.outbound.support import (
    binding_of,
    by_itself,
    hand_in,
    in_thread,
    order,
    ours,
    quiet,
    sent,
)

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 30


def target():
    return Target.objects.get()


def test_the_peer_learns_who_we_are_though_there_is_nothing_to_send(pair, peer):
    assert sweep() == 1
    by_itself(pair)
    assert peer.batches == [{"node": "store", "writer": identity.writer()}]
    assert (target().acknowledged_writer, target().peer_writer) == (identity.writer(), peer.node.writer)
    assert target().contact_at is not None
    with quiet(peer):
        Run.objects.all().delete()
        assert sweep() == 0
        by_itself(pair)


def test_the_peer_learns_of_a_new_incarnation_of_ours_though_there_is_nothing_to_send(connected, peer):
    order()
    run_here(connected)
    peer.clear_journal()
    taken = identity.take("a test")
    Run.objects.all().delete()
    assert sweep() == 1
    by_itself(connected)
    assert [(batch["writer"], batch.get("items", [])) for batch in peer.batches] == [(taken, [])]


PROBLEM = {"Content-Type": "application/problem+json"}


@pytest.mark.parametrize("status", [401, 409])
def test_a_greeting_that_is_refused_pauses_the_target(pair, peer, status):
    peer.fault(Fault.STATUS, status=status, body={"detail": "store has no account here"}, headers=PROBLEM)
    assert run_here(pair).message.startswith(f"Blocked: warehouse answered {status}: ")
    assert "store has no account" in target().blocked
    assert (len(peer.journal), target().acknowledged_writer) == (1, "")


def test_nothing_is_sent_to_a_peer_that_could_not_be_greeted(pair, peer):
    one = order()
    peer.fault(Fault.STATUS, status=500)
    run = run_here(pair)
    assert sent(peer) == [[]]
    assert (target().failures, binding_of(one).tries) == (1, 0)
    assert "1 change is kept" in run.message


@pytest.mark.parametrize("has_items", [False, True])
def test_another_node_at_the_address_pauses_the_target_and_is_told_apart(pair, peer, has_items):
    if has_items:
        run_here(pair)
        order()
    peer.twists.append(lambda answer: answer | {"node": "spoke", "writer": "spoke:1"})
    run = run_here(pair)
    assert target().blocked == "warehouse says that it is 'spoke', but this target is for 'warehouse'"
    assert run.message.startswith("Blocked: ")
    assert target().peer_writer == (peer.node.writer if has_items else "")
    assert not Binding.objects.exclude(peer_seen=None).exists()


def test_a_new_incarnation_in_an_answer_forgets_what_the_peer_had_seen_and_all_is_pushed_again(connected, peer):
    old, new = order(), None
    backup = peer.node.backup()
    run_here(connected)
    peer.node.restore(backup)
    new = order()
    peer.clear_journal()
    run_here(connected)
    assert target().peer_writer == peer.node.writer
    assert {key for keys in sent(peer) for key in keys} == {str(old.pk), str(new.pk)}
    assert peer.node.contents == ours()
    with quiet(peer):
        run_here(connected)


def test_a_new_incarnation_that_writes_to_us_gets_all_again(connected, peer, live_server):
    order()
    backup = peer.node.backup()
    run_here(connected)
    peer.node.restore(backup)
    url, user = f"{live_server.url}/api", "peer-warehouse"
    status, _ = peer.post(url, peer.node.batch(), user=user, password="a peer signs in with this")
    assert (status, target().peer_writer) == (200, peer.node.writer)
    Run.objects.all().delete()
    assert sweep() == 1
    by_itself(connected)
    assert peer.node.contents == ours()


def test_an_answer_of_an_older_incarnation_reveals_nothing(connected, peer):
    older, one = peer.node.writer, order()
    peer.node.reborn()
    run_here(connected)
    Order.objects.filter(pk=one.pk).update(quantity=2)
    seen = binding_of(one).peer_seen
    peer.twists.append(lambda answer: answer | {"writer": older})
    run = run_here(connected)
    assert "answered as it was before it was restored" in run.message
    assert (binding_of(one).peer_seen, target().peer_writer) == (seen, peer.node.writer)
    peer.twists.clear()
    let_time_pass()
    assert run_here(connected).state == "done"
    assert peer.node.contents == ours()


def test_an_answer_to_what_we_were_before_reveals_nothing(connected, peer):
    one = order()
    with peer.hold(act=True) as held:
        worker = in_thread(run_here, connected)
        held.wait_arrived()
        taken = identity.take("a test")
    worker.join(SECONDS)
    assert binding_of(one).peer_seen is None
    assert "answered what we were before a restore" in binding_of(one).reason
    let_time_pass()
    run_here(connected)
    assert (peer.batches[-1]["writer"], target().acknowledged_writer) == (taken, taken)
    assert binding_of(one).peer_seen


def test_what_was_said_before_a_restore_that_is_noted_meanwhile_is_not_noted(connected, peer, live_server):
    """The peer answered before it was restored; the answer is settled once the restore is known."""
    one = order()
    older = peer.node.writer
    with peer.hold(act=True) as held:
        worker = in_thread(run_here, connected)
        held.wait_arrived()
        peer.node.restore("{}")
        hand_in(peer, live_server, keys=[])
    worker.join(SECONDS)
    assert older != target().peer_writer == peer.node.writer
    let_time_pass()
    run_here(connected)
    assert peer.node.contents == ours()
    assert binding_of(one).peer_seen


def test_a_target_that_is_for_another_node_now_knows_nothing_of_it(connected, peer):
    one = order()
    run_here(connected)
    peer.node.name = "annex"
    peer.node.held.clear()
    peer.node.reborn()
    Target.objects.update(peer_node="annex")
    assert peer.node.writer < target().peer_writer
    Order.objects.filter(pk=one.pk).update(quantity=2)
    order()
    run_here(target())
    run_here(target())
    assert peer.node.contents == ours()
    assert (target().peer_writer, target().acknowledged_writer) == (peer.node.writer, identity.writer())


def test_a_node_that_was_renamed_signs_with_its_new_name(connected, peer, settings):
    settings.NODE = "shop"
    assert identity.writer().startswith("shop:")
    assert Incarnation.objects.filter(why="This node was called store before.").exists()
