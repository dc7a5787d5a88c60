"""A hold keeps back what leaves here; what a peer sends is still taken in."""

import pytest

from syncer.engine import holding
from syncer.engine.holding import chosen_of
from tests.syncer.targets.peer.conflicts.support import PACKER, binding_of, edit, hand_in, order

pytestmark = [pytest.mark.quick("postgres"), pytest.mark.django_db(transaction=True), pytest.mark.law]


def test_what_a_peer_sends_is_taken_into_an_object_on_hold(warehouse, node, shared, editor):
    holding.hold(chosen_of("orders.Order", [binding_of(shared).object_key]), reason="R")
    node.edit(shared, quantity=3, by=PACKER)
    assert hand_in(warehouse, node, shared) == ["applied"]
    assert order(shared).quantity == 3
    assert binding_of(shared).on_hold


def test_a_conflict_is_found_and_stays_while_the_object_is_on_hold(warehouse, node, shared, editor):
    holding.hold(chosen_of("orders.Order", [binding_of(shared).object_key]), reason="R")
    edit(shared, editor, reason="", quantity=2)
    node.edit(shared, quantity=3, by=PACKER)
    assert hand_in(warehouse, node, shared) == ["conflict"]
    assert order(shared).quantity == 2
