"""Comparison of two real nodes: objects are proved equal, or those that differ are named, with few small questions."""

from random import Random
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection

from content.orders.models import Order
from syncer.models import Replica
from syncer.models.keys import key_of
from syncer.targets.peer.pair.equality import compare_all
from tests.syncer.targets.peer.pair.conftest import hold, orders

pytestmark = [pytest.mark.quick("sqlite"), pytest.mark.django_db(transaction=True)]

MANY = 100_000 if connection.vendor == "postgresql" else 20_000


def random_keys(rows):
    random = Random(7)
    for order in rows:
        order.pk = UUID(int=random.getrandbits(128))
    return rows


SPREADS = {
    "evenly": lambda number: orders(number),
    "sequential": lambda number: orders(number, spread=1),
    "at random": lambda number: random_keys(orders(number)),
    "in two heaps": lambda number: [*orders(number // 2, spread=1), *orders(number // 2, spread=1, first=2**127)],
}


def compare(target):
    (comparison,) = compare_all(target)
    return comparison


@pytest.mark.slow
def test_many_equal_objects_are_proved_equal_with_few_and_small_questions(there, target, route):
    both = random_keys(orders(MANY))
    hold(both)
    there.hold(both)
    comparison = compare(target)
    assert comparison.differences.is_equal
    assert comparison.differences.equal == MANY
    assert comparison.requests <= 3
    assert comparison.bytes <= 16_000


@pytest.mark.slow
@pytest.mark.parametrize("spread", SPREADS)
def test_one_different_object_is_found_in_logarithmically_many_questions(there, target, route, spread):
    both = SPREADS[spread](5_000)
    hold(both)
    both[1_234].quantity = 77
    there.hold(both)
    comparison = compare(target)
    assert comparison.differences.differing == [str(both[1_234].pk)]
    assert comparison.differences.equal == 4_999
    # 5,000 · 313 · 20 in a range, its objects, and what is to come of it
    assert comparison.requests <= 7
    assert comparison.bytes <= 32_000


def test_what_only_one_end_has_is_named(there, target, route):
    both = orders(300)
    hold([*both[:200], *both[201:]])
    there.hold([*both[:100], *both[101:]])
    differences = compare(target).differences
    assert differences.only_here == [str(both[100].pk)]
    assert differences.only_there == [str(both[200].pk)]
    assert (differences.equal, differences.differing, differences.more_here, differences.more_there) == (298, [], 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("end", ["here", "there"])
def test_of_what_only_one_end_has_the_first_are_named_and_the_rest_counted(there, target, route, end):
    {"here": hold, "there": there.hold}[end](orders(3000))
    differences = compare(target).differences
    named = differences.only_here if end == "here" else differences.only_there
    more = differences.more_here if end == "here" else differences.more_there
    assert len(named) == 1000
    assert len(named) + more == 3000
    assert differences.listed == 1000


def test_two_nodes_without_objects_are_equal(target, route):
    assert compare(target).differences.is_equal


def test_what_is_still_to_be_sent_is_marked(there, target, route):
    order = Order.objects.create(product_name="Lamp", quantity=1)
    comparison = compare(target)
    assert comparison.differences.only_here == [str(order.pk)]
    assert comparison.words(str(order.pk)) == ["pending"]


@pytest.mark.slow
def test_what_the_other_end_has_still_to_send_is_marked(there, target, route):
    there.run("from content.orders.models import Order\nOrder.objects.create(product_name='Lamp', quantity=1)")
    comparison = compare(target)
    (key,) = comparison.differences.only_there
    assert comparison.there[key] == ["pending"]
    assert comparison.words(key) == ["pending"]


@pytest.mark.slow
def test_what_waits_for_a_person_is_marked(there, target, route):
    (order,) = orders(1)
    hold([order])
    key = Order.objects.get().pk
    Replica.objects.create(model="orders.Order", object_key=key_of(Order, key), conflicts={"quantity": "ask"})
    comparison = compare(target)
    assert comparison.words(str(key)) == ["conflict"]


def test_the_command_says_equal_with_exit_status_0(there, target, route, capsys):
    both = orders(100)
    hold(both)
    there.hold(both)
    call_command("sync_compare", target.name)
    assert "orders.Order: 100 objects, all equal (1 requests, " in capsys.readouterr().out


@pytest.mark.slow
def test_the_command_names_what_differs_with_exit_status_1(there, target, route, capsys):
    both = orders(100)
    hold(both)
    both[3].product_name = "Lämp"
    there.hold(both)
    with pytest.raises(SystemExit) as ended:
        call_command("sync_compare", target.name)
    assert ended.value.code == 1
    output = capsys.readouterr().out
    assert "orders.Order: 99 objects are equal, 1 differ, 0 are only here, 0 only there" in output
    assert f"  differs: {both[3].pk}\n" in output + "\n"
