"""A new field that the two nodes share from different times on, since they are not upgraded at once."""

import pytest

from content.orders.models import Order
from syncer.engine.runs import run_here
from syncer.models import Target
from syncer.models.mapping import declarations, declare
from tests.syncer.targets.peer.outbound.support import MODEL, hand_in, order, replica

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def upgrade():
    """A function that makes this node's program share the status, which it does not before."""
    now = declarations()[MODEL]

    def to(fields):
        declare(
            Order,
            fields=fields,
            natural_key=now.natural_key,
            authority={"status": "store"} if "status" in fields else {},
        )

    to(tuple(name for name in now.fields if name != "status"))
    yield lambda: to(now.fields)
    declare(Order, fields=now.fields, natural_key=now.natural_key, authority=now.authority)


@pytest.fixture
def shipped(upgrade, connected, peer, live_server) -> Order:
    """An order whose status was edited by the peer, which has the field already."""
    lamp = order()
    run_here(connected)
    peer.node.edit(str(lamp.pk), status="SHIPPED")
    hand_in(peer, live_server)
    lamp.refresh_from_db()
    assert (lamp.status, "status" in replica(lamp).fields) == ("PENDING", True)
    return lamp


def test_what_the_peer_edited_is_written_once_the_program_has_it(shipped, upgrade, connected, peer):
    upgrade()
    peer.clear_journal()
    run_here(connected)
    shipped.refresh_from_db()
    assert shipped.status == "SHIPPED"
    assert shipped.history.first().origin == "warehouse"
    assert peer.journal == []


def test_what_is_edited_here_before_anybody_looked_counts_as_an_edit(shipped, upgrade, connected, peer):
    upgrade()
    shipped.status = "DELIVERED"
    shipped.save()
    run_here(connected)
    shipped.refresh_from_db()
    assert (shipped.status, peer.node.content(str(shipped.pk))["status"]) == ("DELIVERED", "DELIVERED")


def test_an_edit_of_another_field_does_not_overrule_it(shipped, upgrade, connected, peer):
    upgrade()
    shipped.quantity = 7
    shipped.save()
    run_here(connected)
    shipped.refresh_from_db()
    assert (shipped.quantity, shipped.status) == (7, "SHIPPED")
    assert peer.node.content(str(shipped.pk))["status"] == "SHIPPED"
    assert Target.objects.get(pk=connected.pk).blocked == ""
