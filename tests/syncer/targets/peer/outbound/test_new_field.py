"""A field that the two nodes share from different times on, for they are not upgraded in one moment."""

import pytest

from content.orders.models import Order
from syncer.engine.runs import run_here
from syncer.models import Target
from syncer.models.mapping import declarations, declare
from tests.syncer.targets.peer.outbound.support import MODEL, hand_in, order, replica

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def upgrade():
    """This node's program does not share the status yet, until it is called."""
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
def told(upgrade, connected, peer, live_server) -> Order:
    """An order whose status the peer, which knows the field already, has told us of."""
    lamp = order()
    run_here(connected)
    peer.node.edit(str(lamp.pk), status="SHIPPED")
    hand_in(peer, live_server)
    lamp.refresh_from_db()
    assert (lamp.status, "status" in replica(lamp).fields) == ("PENDING", True)
    return lamp


def test_what_the_peer_told_of_it_is_written_once_the_program_has_it(told, upgrade, connected, peer):
    upgrade()
    peer.clear_journal()
    run_here(connected)
    told.refresh_from_db()
    assert told.status == "SHIPPED"
    assert told.history.first().origin == "warehouse"
    assert peer.journal == []


def test_what_is_edited_here_before_anybody_looked_counts_as_an_edit(told, upgrade, connected, peer):
    upgrade()
    told.status = "DELIVERED"
    told.save()
    run_here(connected)
    told.refresh_from_db()
    assert (told.status, peer.node.content(str(told.pk))["status"]) == ("DELIVERED", "DELIVERED")


def test_an_edit_of_another_field_does_not_overrule_it(told, upgrade, connected, peer):
    upgrade()
    told.quantity = 7
    told.save()
    run_here(connected)
    told.refresh_from_db()
    assert (told.quantity, told.status) == (7, "SHIPPED")
    assert peer.node.content(str(told.pk))["status"] == "SHIPPED"
    assert Target.objects.get(pk=connected.pk).blocked == ""
