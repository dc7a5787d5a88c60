"""The ceiling on destruction holds for a peer too: a delete travels as an edit, and many of them wait for a person."""

import pytest

from content.orders.models import Order
from syncer.engine.claims import claim
from syncer.engine.plan import plan
from syncer.engine.runs import run_here
from syncer.engine.sender import Sender
from syncer.models import Binding, Route, Run
from syncer.models.routemap import RouteMap
from syncer.recovery.deletes import review, undo
from syncer.targets.base import Step
from syncer.targets.peer.outbound.push import deliver
from tests.syncer.targets.peer.outbound.support import hand_in_here, order, ours, quiet, sent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.law]


@pytest.fixture
def many(connected, peer):
    Order.objects.bulk_create(Order(product_name="desk", quantity=n) for n in range(1, 41))
    run_here(connected)
    peer.clear_journal()
    return connected


def test_many_deletes_wait_for_a_person_and_edits_go_on(many, peer):
    Order.objects.filter(quantity__lte=30).delete()
    edited = Order.objects.get(quantity=40)
    edited.quantity = 41
    edited.save()
    message = run_here(many).message
    assert "30 deletes wait for a person: 30 of orders.Order, more than 20 and more than 10 % of the 40 r" in message
    assert sent(peer) == [[str(edited.pk)]]
    assert len(peer.node.contents) == 40


def test_what_a_person_allowed_goes(many, peer):
    Order.objects.filter(quantity__lte=30).delete()
    run_here(many)
    Binding.objects.update(delete_allowed=True)
    assert run_here(many).message == "30 pushed."
    assert peer.node.contents == ours()


def test_deletes_that_came_from_the_peer_are_not_counted_for_it(many, peer):
    """The node where they were made has asked; they are not sent back."""
    for key in list(peer.node.contents)[:30]:
        peer.node.delete(key)
    assert hand_in_here(peer).status_code == 200
    assert Order.objects.count() == 10
    with quiet(peer):
        assert run_here(many).state == Run.State.DONE


def test_an_object_that_is_deleted_after_its_claim_is_counted(connected, peer):
    one = order()
    run_here(connected)
    Route.objects.update(max_deletes=0)
    peer.clear_journal()
    Order.objects.filter(pk=one.pk).update(quantity=5)
    routes = RouteMap(connected)
    route = routes.parents_first[0]
    run = Run.objects.create(target=connected, trigger=Run.Trigger.COMMAND, state=Run.State.RUNNING)
    plan(routes, route)
    with Sender(connected) as sender:
        bindings = claim(routes, Step(route=route), keys=None, limit=10, lease=sender.lease_seconds, run=run)
        one.delete()
        deliver(run, routes, route, [bindings], sender)
    assert sent(peer) == []
    assert run_here(connected).message.startswith("1 delete waits for a person: ")
    assert sent(peer) == []


def test_what_a_person_undid_is_as_the_peer_has_it(many, peer):
    before = ours()
    Order.objects.filter(quantity__lte=30).delete()
    run_here(many)
    undo(many, review(many).digest, user=None)
    assert ours() == before
    with quiet(peer):
        assert run_here(many).state == Run.State.DONE
