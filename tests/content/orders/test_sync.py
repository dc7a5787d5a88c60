"""A key that is a UUID travels: in what is sent, in what is remembered, in filters, lookups and scopes."""

from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from backoffice.kit.urls import admin_url
from content.orders.models import Order, Status
from syncer import public
from syncer.engine.runs import run_here, work
from syncer.models import Binding, Route, Run, Target
from syncer.models.keys import key_of
from tests.content.pages import administrator
from tests.remote import Fault
from tests.syncer.support import let_time_pass, requests

pytestmark = pytest.mark.django_db(transaction=True)

FIELDS = {"orderId": "id", "productName": "product_name", "quantity": "quantity", "status": "status"}
KEY = UUID("6f1c5f2e-0b4c-4a57-9f0a-2f3d5b1f9a10")


@pytest.fixture
def target(remote):
    target = Target.objects.create(name="shop", url=remote.url, timeout=10)
    Route.objects.create(
        target=target, model="orders.Order", path="/orders", fields=FIELDS, lookup=["orderId"], existing="create"
    )
    return target


@pytest.fixture
def order():
    return Order.objects.create(id=KEY, product_name="Desk lamp", quantity=2)


def state(order: Order) -> public.State:
    return public.object_states(Order, [order.pk])[order.pk][0].state


def test_an_order_is_created_updated_and_deleted_at_the_target(target, order, remote):
    run_here(target)
    sent = {"orderId": str(KEY), "productName": "Desk lamp", "quantity": 2, "status": "PENDING"}
    assert remote.store.records("orders") == {1: {"id": 1} | sent}
    order.status = Status.SHIPPED
    order.save()
    run_here(target)
    assert remote.store.records("orders")[1]["status"] == "SHIPPED"
    order.delete()
    run_here(target)
    assert remote.store.records("orders") == {}
    assert requests(remote) == [("POST", "/orders"), ("PUT", "/orders/1"), ("DELETE", "/orders/1")]


def test_an_order_that_did_not_change_is_not_sent_again(target, order, remote):
    run_here(target)
    Order.objects.update(quantity=3)
    Order.objects.update(quantity=2)
    remote.clear_journal()
    run_here(target)
    assert requests(remote) == []
    assert state(order) == public.State.IN_SYNC


def test_the_binding_names_the_order_as_the_database_spells_it(target, order):
    run_here(target)
    assert Binding.objects.get().object_key == key_of(Order, KEY)


def test_a_create_whose_answer_was_lost_is_found_again_by_the_id(target, order, remote):
    remote.fault(Fault.RESET, method="POST", path="/orders", act=True)
    run_here(target)
    let_time_pass()
    run_here(target)
    assert len(remote.store.records("orders")) == 1
    assert state(order) == public.State.IN_SYNC


def test_a_filter_on_the_status_takes_an_order_away_again(target, order, remote):
    Route.objects.update(filter={"status__in": ["PENDING", "SHIPPED"]})
    run_here(target)
    Order.objects.update(status="DELIVERED")
    run_here(target)
    assert remote.store.records("orders") == {}


def test_sync_now_carries_the_chosen_order_only(target, order, remote):
    other = Order.objects.create(product_name="Wall hook", quantity=1)
    chosen = {"action": "sync_now", "_selected_action": [str(order.pk)]}
    assert administrator().post(admin_url(Order, "changelist"), chosen).status_code == 302
    work(Run.objects.get())
    assert [record["orderId"] for record in remote.store.records("orders").values()] == [str(KEY)]
    assert state(other) != public.State.IN_SYNC


def test_the_pages_of_the_sync_show_an_order(target, order):
    run_here(target)
    client = administrator()
    for obj in (order, Binding.objects.get()):
        assert client.get(admin_url(type(obj), "changelist")).status_code == 200
        assert client.get(admin_url(type(obj), "change", obj.pk)).status_code == 200


# --- the first load --------------------------------------------------------------------------------------------------
RECORD = {"id": str(KEY), "productName": "Desk lamp", "quantity": 2, "status": "SHIPPED"}


@pytest.fixture
def peer(target):
    """A target whose records have our ids."""
    Route.objects.update(fields={"productName": "product_name", "quantity": "quantity", "status": "status"})
    return target


def test_a_first_load_takes_the_targets_uuids_and_pushes_nothing_back(peer, remote):
    remote.store.load("orders", [RECORD])
    call_command("sync_import", peer.name, stdout=StringIO())
    assert Order.objects.get().pk == KEY
    remote.clear_journal()
    run_here(peer)
    assert requests(remote) == []
    Order.objects.update(status="DELIVERED")
    run_here(peer)
    assert remote.store.records("orders")[str(KEY)]["status"] == "DELIVERED"


def test_a_first_load_of_ids_that_are_no_uuids_writes_nothing(peer, remote):
    remote.store.create("orders", {name: value for name, value in RECORD.items() if name != "id"})
    with pytest.raises(CommandError, match=r"orders.Order 1: id: “1” is not a valid UUID"):
        call_command("sync_import", peer.name, stdout=StringIO())
    assert Order.objects.count() == 0


def test_pages_show_and_find_the_record_by_its_id_as_people_read_it(target, order, remote):
    run_here(target)
    record = f"record {KEY}"
    Binding.objects.update(remote_id=f'"{record}"')
    admin = administrator()
    assert f">{record}</td>" in admin.get(admin_url(Order, "change", KEY)).content.decode()
    for term, number in ((record, 1), (str(KEY), 1), ("record", 0)):
        found = admin.get(admin_url(Binding, "changelist"), {"q": term})
        assert found.context["cl"].result_count == number, term
