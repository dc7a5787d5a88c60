"""Workers that die, are late, or run twice: the effects of a repeated push."""

import pytest

from content.orders.models import Order
from syncer.engine.claims import claim
from syncer.engine.plan import plan
from syncer.engine.runs import run_here
from syncer.engine.sender import Sender
from syncer.engine.settling import LOST
from syncer.engine.wake import request_run
from syncer.models import Attempt, Binding, Run
from syncer.models.routemap import RouteMap
from syncer.targets.base import Step
from syncer.targets.peer import identity
from syncer.targets.peer.outbound.push import _stamped, deliver
from tests.syncer.targets.peer.outbound.support import binding_of, in_thread, order, ours, quiet, replica, sent

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 30
LEASE = 60.0


class Worker:
    """A worker that can be stopped between its steps."""

    def __init__(self, target, sender):
        self.routes = RouteMap(target)
        self.route = self.routes.parents_first[0]
        plan(self.routes, self.route)
        self.run, _ = request_run(target=target, trigger=Run.Trigger.MANUAL)
        self.sender = sender

    def claim(self, lease=LEASE):
        return claim(self.routes, Step(route=self.route), keys=None, limit=500, lease=lease)

    def stamp(self, bindings):
        return _stamped(self.routes, self.route, bindings)

    def deliver(self, bindings):
        return deliver(self.run, self.routes, self.route, [bindings], self.sender)


@pytest.fixture
def worker(connected):
    with Sender(connected) as sender:
        order(), order()
        yield Worker(connected, sender)


def lease_runs_out():
    Binding.objects.update(lease_until=None)


def test_what_was_stamped_by_a_worker_that_died_is_pushed_with_the_same_numbers(worker, connected, peer):
    worker.stamp(worker.claim())
    numbers = {row.object_key: row.seen for row in map(replica, Order.objects.all())}
    assert all(numbers.values())
    lease_runs_out()
    run_here(connected)
    assert [len(keys) for keys in sent(peer)] == [2]
    assert {row.object_key: row.seen for row in map(replica, Order.objects.all())} == numbers
    assert peer.node.contents == ours()


def test_what_arrived_from_a_worker_that_died_before_it_settled_does_no_harm(worker, connected, peer):
    me, found = worker.stamp(worker.claim())
    peer.node.take_in([one.item.as_json() for one in found])
    Order.objects.update(quantity=2)  # another edit than the one that arrived, so another number
    lease_runs_out()
    run_here(connected)
    assert peer.node.contents == ours()
    assert {attempt.outcome for attempt in Attempt.objects.all()} == {"done"}
    assert me == identity.writer()


def test_a_late_worker_settles_nothing_and_keeps_nothing_of_the_answer(connected, peer):
    one = order()
    peer.node.refuses[str(one.pk)] = {"quantity": ["Too many."]}
    with peer.hold(act=True) as held:
        late = in_thread(run_here, connected)
        held.wait_arrived()
        peer.node.refuses.clear()
        lease_runs_out()
        run_here(connected)
        row = binding_of(one)
        assert row.peer_seen
    late.join(SECONDS)
    after = binding_of(one)
    assert (after.rejected, after.peer_seen, after.token) == (None, row.peer_seen, row.token)
    lost, _ = Attempt.objects.order_by("at")
    assert (lost.request, lost.answer, lost.url) == (None, LOST, LOST)
    assert peer.node.contents == ours()


def test_an_edit_that_is_planned_while_the_one_before_is_under_way_follows(connected, peer):
    one = order()
    with peer.hold(act=True) as held:
        under_way = in_thread(run_here, connected)
        held.wait_arrived()
        Order.objects.filter(pk=one.pk).update(quantity=2)
        routes = RouteMap(connected)
        assert plan(routes, routes.parents_first[0]) == 1
    under_way.join(SECONDS)
    run_here(connected)
    assert peer.node.contents == ours()
    assert [item["fields"]["quantity"][0][2] for item in peer.items] == [1, 2]


def test_two_workers_push_each_object_once(connected, peer):
    Order.objects.bulk_create(Order(product_name="desk", quantity=1) for _ in range(700))
    both = [in_thread(run_here, connected) for _ in range(2)]
    for one in both:
        one.join(2 * SECONDS)
    keys = [key for batch in sent(peer) for key in batch]
    assert (len(keys), len(set(keys))) == (700, 700)
    assert peer.node.contents == ours()
    with quiet(peer):
        run_here(connected)


def test_what_was_pushed_between_the_claim_and_the_stamp_is_not_sent_back(worker, connected, peer):
    bindings = worker.claim()
    for one in Order.objects.all():
        row = binding_of(one)
        _, found = worker.stamp([next(each for each in bindings if each.pk == row.pk)])
        Binding.objects.filter(pk=row.pk).update(peer_seen=dict(found[0].item.state.seen))
    with quiet(peer):
        worker.deliver(bindings)
    assert not Binding.objects.filter(unconfirmed=True).exists()
