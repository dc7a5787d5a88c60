import json
import re
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import reverse

from content.orders.models import Order, Status
from tests.content.files import FORMATS, cells_of, export, load, preview, table
from tests.content.orders.people import EDIT
from tests.content.pages import form_of, sign_in

pytestmark = pytest.mark.django_db

KEY = UUID("6f1c5f2e-0b4c-4a57-9f0a-2f3d5b1f9a10")
COLUMNS = ["id", "product_name", "quantity", "status"]


def url(page: str, *args: object) -> str:
    return reverse(f"admin:orders_order_{page}", args=args)


def signed_in(*more: str) -> Client:
    return sign_in(*EDIT, "orders.import_order", "orders.export_order", *more, name="packer")


@pytest.fixture
def order():
    return Order.objects.create(product_name="Desk lamp", quantity=2, status=Status.SHIPPED)


# --- pages -----------------------------------------------------------------------------------------------------------
def test_the_list_shows_the_status_by_its_name_newest_first(order):
    newer = Order.objects.create(product_name="Wall hook", quantity=1)
    answer = signed_in().get(url("changelist"))
    assert list(answer.context["cl"].result_list) == [newer, order]
    rows = [answer.content.decode().partition(f"{shown.pk}/change/")[2] for shown in (newer, order)]
    labels = [re.search(r">\s*(Pending|Shipped|Delivered)\s*<", row) for row in rows]
    assert [label and label[1] for label in labels] == ["Pending", "Shipped"]


def test_the_list_is_filtered_by_status(order):
    Order.objects.create(product_name="Wall hook", quantity=1)
    answer = signed_in().get(url("changelist"), {"status__exact": "SHIPPED"})
    assert list(answer.context["cl"].result_list) == [order]


@pytest.mark.parametrize("asked", ["LAMP", str(KEY), str(KEY)[:13]])
def test_an_order_is_found_by_its_product_and_by_its_id(asked):
    order = Order.objects.create(id=KEY, product_name="Desk lamp", quantity=2)
    Order.objects.create(product_name="Wall hook", quantity=1)
    answer = signed_in().get(url("changelist"), {"q": asked})
    assert list(answer.context["cl"].result_list) == [order]


@pytest.mark.parametrize("page", ["change", "history", "delete"])
@pytest.mark.parametrize("key", [KEY, "1", "no-uuid"])
def test_the_pages_of_an_order_that_is_not_there_are_no_crash(page, key):
    assert signed_in().get(url(page, key)).status_code in (302, 404)


def test_the_form_shows_what_the_program_set(order):
    client = signed_in()
    page = client.get(url("change", order.pk)).content.decode()
    assert str(order.pk) in page
    assert "Updated at" in page
    assert "Updated at" not in client.get(url("add")).content.decode()


def save(client: Client, order: Order, **changes: object):
    form = form_of(client.get(url("change", order.pk)), "order_form")
    return client.post(url("change", order.pk), form | changes)


def test_saving_an_untouched_form_writes_nothing(order):
    assert save(signed_in(), order).status_code == 302
    assert Order.history.count() == 1


def test_the_form_sets_the_status_back_only_with_the_permission_to_reopen(order):
    refused = save(signed_in(), order, status="PENDING")
    assert "orders.reopen_order" in str(refused.context["adminform"].form.errors["status"])
    assert Order.objects.get().status == "SHIPPED"


def test_the_form_refuses_an_order_of_nothing(order):
    assert "quantity" in save(signed_in(), order, quantity=0).context["adminform"].form.errors


# --- history ---------------------------------------------------------------------------------------------------------
def revert(client: Client, order: Order):
    first = Order.history.filter(id=order.pk).last()
    return client.post(url("simple_history", order.pk, first.pk))


def test_a_version_with_a_status_that_no_longer_exists_does_not_come_back(order):
    Order.history.update(status="LOST")
    answer = revert(client := signed_in(), order)
    assert "is not a valid choice" in client.get(answer["Location"]).content.decode()
    assert Order.objects.get().status == "SHIPPED"


def test_a_deleted_order_comes_back_whole_under_its_id(order):
    client = signed_in()
    client.post(url("delete", order.pk), {"post": "yes"})
    assert revert(client, order).status_code == 302
    again = Order.objects.get()
    assert (again.pk, again.status, again.created_at) == (order.pk, "SHIPPED", order.created_at)


def test_history_says_what_people_did_not_what_the_clock_did(order):
    order.status, order.quantity = Status.DELIVERED, 2
    order.save()
    page = signed_in().get(url("history", order.pk)).content.decode()
    assert "<del>Shipped</del><ins>Delivered</ins>" in page
    assert "Updated at" not in page


def test_going_back_to_what_is_there_already_writes_nothing(order):
    order.quantity = 3
    order.save()
    order.quantity = 2
    order.save()
    answer = revert(client := signed_in(), order)
    assert "There is nothing to revert" in client.get(answer["Location"]).content.decode()
    assert Order.history.count() == 3


# --- import and export -----------------------------------------------------------------------------------------------
def csv_of(*rows: dict[str, object]) -> str:
    return table(COLUMNS, *([row[name] for name in COLUMNS] for row in rows))


def problems(client: Client, data: str, kind: str = "csv"):
    return preview(client, Order, data, kind).context["report"].problems


LAMP = {"id": str(KEY), "product_name": "Desk lamp", "quantity": 2, "status": "PENDING"}


def test_a_row_with_a_new_id_adds_an_order_under_it():
    load(signed_in(), Order, csv_of(LAMP))
    assert Order.objects.get().pk == KEY
    assert Order.history.get().history_change_reason == "Imported from rows.csv"


def test_a_row_without_an_id_adds_an_order_under_a_new_one():
    load(signed_in(), Order, csv_of(LAMP | {"id": ""}, LAMP | {"id": ""}))
    assert Order.objects.values("pk").distinct().count() == 2


def test_the_preview_shows_the_id_that_the_file_gives_and_none_else():
    answer = preview(signed_in(), Order, csv_of(LAMP, LAMP | {"id": ""}))
    assert [row["cells"][0] for row in answer.context["report"].rows()] == [
        ("id", f'<span class="difference"><span>{KEY}</span></span>'),
        ("id", '<span class="difference"></span>'),
    ]


@pytest.mark.parametrize(
    ("change", "column"), [({"id": "7"}, "id"), ({"quantity": 0}, "quantity"), ({"status": "LOST"}, "status")]
)
def test_a_wrong_row_is_refused_by_its_column(change, column):
    found = problems(signed_in(), csv_of(LAMP | change))
    assert [(number, name) for number, name, _ in found] == [(2, column)]


def test_a_number_is_refused_as_an_id():
    found = problems(signed_in(), json.dumps([LAMP | {"id": 7}]), "json")
    assert found == [(1, "id", "“7” is not a valid UUID.")]


@pytest.mark.parametrize("kind", FORMATS)
def test_what_was_exported_comes_back_unchanged_and_can_be_added_elsewhere(kind):
    Order.objects.bulk_create([Order(id=uuid4(), product_name=f"P{n}", quantity=n) for n in range(1, 4)])
    client = signed_in()
    data = export(client, Order, kind)
    stored = list(Order.objects.order_by("pk").values(*COLUMNS))
    assert preview(client, Order, data, kind).context["record"].counts["unchanged"] == 3
    Order.objects.all().delete()
    load(client, Order, data, kind)
    assert list(Order.objects.order_by("pk").values(*COLUMNS)) == stored


def test_an_old_file_brings_no_order_back_that_was_deleted_since(order):
    client = signed_in()
    key, version = order.pk, Order.history.latest("history_id").history_id
    order.delete()
    names = [*COLUMNS, "version"]
    row = [str(key), "Desk lamp", 2, "SHIPPED"]
    page = preview(client, Order, table(names, [*row, version], [str(KEY), "New here", 1, "PENDING", version]))
    assert (page.context["record"].counts["conflict"], page.context["record"].counts["new"]) == (1, 1)
    assert "deleted after the file was made" in page.context["report"].problems[0][2]
    load(client, Order, table(names, [*row, ""]))
    assert Order.objects.get().pk == key


def test_an_export_holds_ids_as_texts(order):
    client = signed_in()
    assert json.loads(export(client, Order, "json"))[0]["id"] == str(order.pk)
    assert cells_of(export(client, Order, "xlsx"))[1][0] == str(order.pk)
