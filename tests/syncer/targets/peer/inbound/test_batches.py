"""A batch costs a handful of statements, however many items it has."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from content.orders.models import Order
from tests.syncer.targets.peer.inbound.batches import LAMP, MODEL, by

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 500
MOST = 60  # statements; what they need is the same for 50 and 500, but for lists that Django and SQLite cut in pieces
PIECES = 18


def filled(store, number):
    return [store.node.create(LAMP | {"quantity": one + 1}) for one in range(number)]


def nothing(store, keys):
    """They are sent again as they are."""


def update(store, keys):
    for key in keys:
        store.node.edit(key, quantity=9999, status="SHIPPED")


def delete(store, keys):
    for key in keys:
        store.node.delete(key)


def merge(store, keys):
    Order.objects.update(status="SHIPPED")
    for key in keys:
        store.node.edit(key, quantity=9999)


def counted(store, number, work):
    """The statements of one batch in which `work` was done to each object, and its results."""
    keys = filled(store, number)
    if work is not None:
        store.hand_in()
        work(store, keys)
    batch = store.node.news(MODEL, keys=keys)
    with CaptureQueriesContext(connection) as captured:
        answer = store.send(batch)
    store.node.held.clear()
    return len(captured), {result["result"] for result in answer.json()["items"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("work", "result"),
    [(None, "applied"), (update, "applied"), (delete, "applied"), (merge, "merged"), (nothing, "already there")],
    ids=["create", "update", "delete", "merge", "already there"],
)
def test_a_batch_costs_a_handful_of_statements_however_many_items_it_has(store, lamp, work, result):
    few, first = counted(store, MANY // 10, work)
    many, second = counted(store, MANY, work)
    assert first == second == {result}
    assert many <= MOST
    assert many - few <= PIECES


def test_one_bad_item_among_many_costs_a_search_not_a_statement_for_each(store, lamp):
    keys = filled(store, MANY)
    store.node.edit(keys[7], quantity=2**40)
    with CaptureQueriesContext(connection) as captured:
        results = store.results(*keys)
    assert (results.count("refused"), results.count("applied")) == (1, MANY - 1)
    assert len(captured) <= 200


def test_editors_cost_a_few_statements_each(store, lamp):
    def by_(number):
        return [store.node.create(LAMP, by=by(f"editor {one % number}", f"reason {one}")) for one in range(50)]

    def statements(number):
        keys = by_(number)
        store.hand_in()
        for one, key in enumerate(keys):
            store.node.delete(key, by=by(f"editor {one % number}", f"reason {one}"))
        with CaptureQueriesContext(connection) as captured:
            assert set(store.results(*keys)) == {"applied"}
        return len(captured)

    one, five = statements(1), statements(5)
    assert five - one <= 4 * 6


def test_a_delete_of_many_writes_their_history_together(store):
    Order.objects.bulk_create(Order(product_name="desk lamp", quantity=1) for _ in range(50))
    with CaptureQueriesContext(connection) as captured:
        Order.objects.all().delete()
    assert len(captured) <= 10
    assert Order.history.filter(history_type="-").count() == 50


@pytest.mark.parametrize("work", [None, update, delete, merge, nothing])
def test_the_number_of_statements_is_exactly_that_of_a_smaller_batch(store, lamp, work):
    """Of what fits into one statement of each kind."""
    assert counted(store, 30, work) == counted(store, 10, work)
