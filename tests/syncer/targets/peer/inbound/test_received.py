"""What a peer has sent is not sent back to it, so it is not pending here."""

import pytest
from django.db.models import F

from content.orders.models import Order
from syncer.core.state import State
from syncer.engine.plan import plan
from syncer.models import Binding, backlog
from syncer.models.routemap import RouteMap
from syncer.reports.choosing import in_state
from syncer.reports.states import having, object_states

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def order(store, lamp):
    """One that the last sync found as the store has it."""
    plan(RouteMap(store.target), store.route)
    Binding.objects.update(delivered=F("wanted"), unconfirmed=False)
    return Order.objects.get()


def pending(store, order):
    """In how many of the places that tell of one order at the store, or of all, it is pending."""
    [state] = object_states(Order, [order.pk])[order.pk]
    return [
        state.state == State.PENDING,
        Binding.objects.filter(having(State.PENDING)).count(),
        Order.objects.filter(in_state(Order, State.PENDING)).count(),
        backlog.of_route(store.route).pending,
        backlog.of_route(store.route, most=10).pending,
    ]


def test_an_edit_that_a_peer_sent_is_not_pending(store, lamp, order):
    store.node.edit(lamp, quantity=9)
    assert store.results() == ["applied"]
    assert Order.objects.get().quantity == 9
    assert pending(store, order) == [0, 0, 0, 0, 0]


def test_an_edit_made_here_since_is_pending(store, lamp, order):
    store.node.edit(lamp, quantity=9)
    store.results()
    received = Order.objects.get()
    received.quantity = 4
    received.save()
    assert pending(store, order) == [1, 1, 1, 1, 1]
