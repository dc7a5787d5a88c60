"""A restore at one end of a pair: nothing is exchanged until it is confirmed; then both become equal again."""

import json

import pytest
from django.core.management import call_command

from content.orders.models import Order
from syncer.core.errors import NotPossibleError
from syncer.engine.runs import run_here
from syncer.engine.wake import sweep
from syncer.models import Binding, Incarnation, Target
from syncer.recovery.recover import recover, survey
from syncer.targets.base import LOST_CLAIMS
from syncer.targets.peer import identity
from syncer.targets.peer.conflicts import conflict_decide, look
from tests.syncer.backups import backup, restored
from tests.syncer.targets.peer.outbound.support import (
    NOON,
    binding_of,
    by_itself,
    hand_in_here,
    order,
    ours,
    quiet,
    replica,
)

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5  # of exchanges, at most, until both rest


def target():
    return Target.objects.get()


def rest(peer):
    """Let both ends push until nothing is due at either."""
    for _ in range(ROUNDS):
        run_here(target())
        if not peer.node.news("orders.Order")["items"]:
            return
        assert hand_in_here(peer).status_code == 200
    pytest.fail("they do not come to rest")


def edit(one, **values):
    Order.objects.filter(pk=one.pk).update(**values)


@pytest.fixture
def went_on(connected, peer):
    """A backup, with edits at both ends since: its name, and the orders edited, deleted and created since."""
    edited, deleted = order(created_at=NOON), order(product_name="deleted since", created_at=NOON)
    run_here(connected)
    with backup() as name:
        edit(edited, quantity=2)
        Order.objects.get(pk=deleted.pk).delete()
        made = order(product_name="made since", created_at=NOON)
        run_here(connected)
        peer.node.edit(str(edited.pk), status="SHIPPED")
        assert hand_in_here(peer).status_code == 200
        assert ours() == peer.node.contents
        yield name, edited, deleted, made


def test_between_restore_and_recover_nothing_is_sent_or_taken(went_on, peer):
    name, edited, *_ = went_on
    with restored(name):
        before = ours()
        peer.node.edit(str(edited.pk), status="DELIVERED")
        with quiet(peer):
            assert "sync_recover" in run_here(target()).message
            sweep()
            by_itself(target())
        answer = hand_in_here(peer)
        assert (answer.status_code, "sync_recover" in answer.json()["detail"]) == (503, True)
        assert ours() == before


def test_between_restore_and_recover_no_conflict_is_decided(went_on, admin_user):
    name, edited, *_ = went_on
    with restored(name):
        one, number = replica(edited), replica(edited).seen
        with pytest.raises(NotPossibleError, match="sync_recover"):
            conflict_decide(replica=one, values={"quantity": 5}, token=look(one).token, user=admin_user, reason="")
        assert replica(edited).seen == number


def test_after_a_recover_what_the_peer_had_is_back_and_both_are_equal(went_on, peer):
    name, edited, deleted, made = went_on
    held = peer.node.contents
    with restored(name):
        recover()
        rest(peer)
        assert ours() == peer.node.contents == held
        back = ours()
        assert (back[str(edited.pk)]["quantity"], back[str(edited.pk)]["status"]) == (2, "SHIPPED")
        assert str(made.pk) in back
        assert str(deleted.pk) not in back
        with quiet(peer):
            run_here(target())


@pytest.mark.parametrize("first", ["edit", "recover"])
def test_new_edits_on_the_restored_node_are_not_taken_for_old_ones(went_on, peer, first):
    name, edited, *_ = went_on
    with restored(name):
        if first == "recover":
            recover()
        edit(edited, product_name="edited on the restored node")
        if first == "edit":
            recover()
        rest(peer)
        assert ours() == peer.node.contents
        both = ours()[str(edited.pk)]
        assert (both["product_name"], both["quantity"]) == ("edited on the restored node", 2)


def test_one_backup_that_is_restored_twice_signs_differently_each_time(went_on):
    name, *_ = went_on
    writers = set()
    for _ in range(2):
        with restored(name):
            recover()
            writers.add(identity.writer())
            Incarnation.objects.all()[:1].get().delete()
    assert len(writers) == 2


def test_the_peer_is_told_without_anything_to_push(connected, peer):
    with backup() as name, restored(name):
        recover()
        sweep()
        by_itself(target())
        assert peer.node.knows == target().acknowledged_writer == identity.writer()


def test_a_recover_distrusts_nothing_of_a_peer_and_raises_all(went_on, peer):
    name, edited, *_ = went_on
    with restored(name):
        seen, wanted, token = binding_of(edited).peer_seen, binding_of(edited).wanted, binding_of(edited).token
        Binding.objects.update(rejected=50)
        recover()
        row = binding_of(edited)
        assert (row.peer_seen, row.wanted, row.token, row.rejected) == (seen, wanted + 1, token + LOST_CLAIMS, None)
        assert (row.look_first, row.unconfirmed) == (False, False)


def test_the_command_says_what_it_does_of_peers(went_on, capsys):
    name, *_ = went_on
    with restored(name):
        before = identity.writer()
        [found] = survey()
        assert (found.peer, found.bound + found.unbound) == ("warehouse", 2)
        assert identity.writer() == before, "a survey writes nothing"
        call_command("sync_recover", "--json")
        assert json.loads(capsys.readouterr().out)["writer"] == identity.writer() > before
        call_command("sync_recover")
        said = capsys.readouterr().out
        assert "warehouse, orders.Order: 2 compared; the peer warehouse is sent what it has not seen" in said
        assert f"Edits made here are signed {identity.writer()} from now on" in said


def test_without_peers_no_incarnation_is_taken(transactional_db):
    recover()
    assert not Incarnation.objects.exists()
