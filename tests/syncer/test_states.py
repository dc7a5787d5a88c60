"""The list of the bindings of one state, and the states of the objects of a page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from content.news.models import Post
from content.orders.models import Order
from syncer.core.state import State
from syncer.models import Binding, Route
from syncer.reports.states import having, object_states
from tests.syncer.conftest import sync


@pytest.fixture
def both(target):
    """A post and an order, whose keys are of different kinds, in sync, and another of each that changed since."""
    Route.objects.create(target=target, model="orders.Order", path="/orders", fields={"product": "product_name"})
    made: list[Post | Order] = [Post.objects.create(title=name, body="B") for name in ("same", "changed")]
    made += [Order.objects.create(product_name=name, quantity=1) for name in ("same", "changed")]
    sync(target)
    Post.objects.filter(title="changed").update(body="C")
    Order.objects.filter(product_name="changed").update(quantity=2, product_name="changed again")
    return made


def found(state: State) -> set[str]:
    return set(Binding.objects.filter(having(state)).values_list("object_key", flat=True))


def test_the_keys_of_each_route_are_read_as_its_own_kind(both):
    keys = [binding.object_key for binding in Binding.objects.order_by("pk")]
    assert len(keys) == len(both)
    pending, in_sync = found(State.PENDING), found(State.IN_SYNC)
    assert pending | in_sync == set(keys)
    for model in (Post, Order):
        states = object_states(model, [obj.pk for obj in both if isinstance(obj, model)])
        assert [state.state for (state,) in states.values()] == [State.IN_SYNC, State.PENDING]
    assert (len(pending), len(in_sync)) == (2, 2)


def test_the_states_of_a_page_read_the_history_of_its_objects_only(both):
    post = both[0]
    with CaptureQueriesContext(connection) as queries:
        object_states(Post, [post.pk])
    (read,) = (query["sql"] for query in queries if '"news_historicalpost" h' in query["sql"])
    assert f'h."id" IN ({post.pk})' in read
