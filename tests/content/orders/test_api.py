from datetime import timedelta
from json import dumps
from uuid import UUID

import pytest
from django.utils import timezone

from content.orders.models import Order, Status
from tests.content.api_client import errors
from tests.content.locks import asked_meanwhile
from tests.content.orders.people import EDIT, REOPEN, api

pytestmark = pytest.mark.django_db

ORDERS = "/api/orders/"
KEY = UUID("6f1c5f2e-0b4c-4a57-9f0a-2f3d5b1f9a10")
BODY = {"product_name": "Desk lamp", "quantity": 2}


def address(key: object) -> str:
    return f"{ORDERS}{key}/"


@pytest.fixture
def shipped():
    return Order.objects.create(product_name="Desk lamp", quantity=2, status=Status.SHIPPED)


# --- whose id the caller may give ------------------------------------------------------------------------------------
def test_an_order_gets_an_id_of_its_own_and_begins_pending():
    answer = api().send("POST", ORDERS, BODY)
    assert answer.status_code == 201
    found = answer.json()
    assert answer["Location"] == address(found["id"])
    assert list(found) == ["id", "product_name", "quantity", "status", "created_at", "updated_at"]
    assert found | BODY | {"status": "PENDING"} == found
    assert UUID(found["id"]).version == 4


def test_a_caller_may_give_the_id():
    answer = api().send("POST", ORDERS, BODY | {"id": str(KEY)})
    assert (answer.status_code, answer.json()["id"]) == (201, str(KEY))
    assert Order.objects.get().pk == KEY


def test_an_id_that_is_taken_is_a_conflict(shipped):
    answer = api().send("POST", ORDERS, BODY | {"id": str(shipped.pk)})
    assert answer.status_code == 409
    assert str(shipped.pk) in answer.json()["detail"]
    assert Order.history.count() == 1


def test_put_to_an_id_that_is_not_there_creates_it():
    client = api()
    answer = client.send("PUT", address(KEY), BODY)
    assert (answer.status_code, answer["Location"]) == (201, address(KEY))
    assert client.send("PUT", address(KEY), BODY).status_code == 200
    assert (Order.objects.get().pk, Order.history.count()) == (KEY, 1)


def send_while_another_one_makes_it(method, path, data, **headers):
    """The answer to a request that began before the order of KEY was committed, and ends after."""
    client = api()
    return asked_meanwhile(
        lambda: client.generic(method, path, dumps(data), "application/json", headers=headers),
        lambda: Order.objects.create(id=KEY, product_name="Theirs", quantity=1),
    )


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_puts_that_create_at_once_the_later_one_replaces():
    answer = send_while_another_one_makes_it("PUT", address(KEY), BODY)
    assert (answer.status_code, answer.json()["product_name"]) == (200, "Desk lamp")
    assert [*Order.history.order_by("history_id").values_list("history_type", "product_name")] == [
        ("+", "Theirs"),
        ("~", "Desk lamp"),
    ]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_put_that_is_to_create_only_replaces_nothing_that_came_meanwhile():
    answer = send_while_another_one_makes_it("PUT", address(KEY), BODY, **{"If-None-Match": "*"})
    assert answer.status_code == 412
    assert Order.objects.get().product_name == "Theirs"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "b1"}], ids=["plain", "repeatable"])
def test_of_two_posts_of_one_id_at_once_the_later_one_is_a_conflict(headers):
    answer = send_while_another_one_makes_it("POST", ORDERS, BODY | {"id": str(KEY)}, **headers)
    assert (answer.status_code, str(KEY) in answer.json()["detail"]) == (409, True)
    assert Order.objects.get().product_name == "Theirs"


def test_put_that_creates_needs_the_permission_to_add():
    answer = api("orders.view_order", "orders.change_order").send("PUT", address(KEY), BODY)
    assert (answer.status_code, Order.objects.count()) == (403, 0)
    assert "orders.add_order" in answer.json()["detail"]


def test_the_id_of_an_order_never_changes(shipped):
    answer = api().send("PATCH", address(shipped.pk), {"id": str(KEY)})
    assert answer.status_code == 422
    assert list(errors(answer)) == ["id"]


@pytest.mark.parametrize("key", ["1", "not-a-uuid", "6f1c5f2e", KEY])
def test_an_order_that_is_not_there_is_not_found(key):
    assert api().get(address(key)).status_code == 404


@pytest.mark.parametrize("key", ["", "1", "6f1c5f2e-0b4c", 7])
def test_an_invalid_uuid_is_refused_as_an_id(key):
    answer = api().send("POST", ORDERS, BODY | {"id": key})
    assert (answer.status_code, list(errors(answer))) == (422, ["id"])


def test_an_order_is_read_changed_and_deleted_at_its_address(shipped):
    client = api()
    assert client.get(address(shipped.pk)).json()["status"] == "SHIPPED"
    assert client.send("PATCH", address(shipped.pk), {"quantity": 3}).json()["quantity"] == 3
    assert client.delete(address(shipped.pk)).status_code == 204
    assert client.get(address(shipped.pk)).status_code == 404
    assert list(Order.history.order_by("history_id").values_list("history_type", flat=True)) == ["+", "~", "-"]


# --- the fields ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("quantity", value) for value in (0, -1, 2**31, 1.5, "2", None)],
        *[("product_name", value) for value in ("", "  \t ", "x" * 256)],
        *[("status", value) for value in ("LOST", "pending", "")],
        ("created_at", "2026-01-01T00:00:00Z"),
        ("updated_at", "2026-01-01T00:00:00Z"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(field, value):
    answer = api(*EDIT, REOPEN).send("POST", ORDERS, BODY | {field: value})
    assert (answer.status_code, list(errors(answer))) == (422, [field])
    assert Order.objects.count() == 0


def test_the_description_says_what_a_quantity_may_be(client):
    shapes = client.get("/api/openapi.json").json()["components"]["schemas"]
    assert shapes["OrderCreate"]["properties"]["quantity"]["minimum"] == 1
    assert shapes["OrderCreate"]["properties"]["status"]["enum"] == ["PENDING", "SHIPPED", "DELIVERED"]
    assert shapes["OrderCreate"]["required"] == ["product_name", "quantity"]


def test_a_change_moves_the_time_of_the_last_change_only(shipped):
    answer = api().send("PATCH", address(shipped.pk), {"quantity": 3})
    stored = Order.objects.get()
    assert stored.created_at == shipped.created_at
    assert stored.updated_at > shipped.updated_at
    assert answer.json()["created_at"].startswith(f"{shipped.created_at:%Y-%m-%dT%H:%M:%S}")


# --- the status ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("old", "new"), [("PENDING", "SHIPPED"), ("PENDING", "DELIVERED"), ("SHIPPED", "DELIVERED"), ("SHIPPED", "SHIPPED")]
)
def test_the_status_goes_forward(old, new):
    order = Order.objects.create(**BODY, status=old)
    assert api().send("PATCH", address(order.pk), {"status": new}).json()["status"] == new


@pytest.mark.parametrize(("old", "new"), [("SHIPPED", "PENDING"), ("DELIVERED", "SHIPPED"), ("DELIVERED", "PENDING")])
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_the_status_goes_back_only_with_the_permission_to_reopen(old, new, method):
    order = Order.objects.create(**BODY, status=old)
    answer = api().send(method, address(order.pk), BODY | {"status": new})
    assert answer.status_code == 403
    assert "orders.reopen_order" in errors(answer)["status"]
    assert Order.objects.get().status == old


def test_put_without_a_status_keeps_the_one_that_the_user_may_not_set_back(shipped):
    assert api().send("PUT", address(shipped.pk), BODY | {"quantity": 9}).json()["status"] == "SHIPPED"


def test_put_without_a_status_sets_it_back_with_the_permission(shipped):
    assert api(*EDIT, REOPEN).send("PUT", address(shipped.pk), BODY).json()["status"] == "PENDING"


# --- lists -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def made():
    """Seven orders, the newest first; two of them are of the same moment."""
    now = timezone.now()
    ages = (0, 1, 2, 2, 3, 4, 5)
    orders = [Order(product_name=f"P{age}", quantity=age + 1, created_at=now - timedelta(hours=age)) for age in ages]
    Order.objects.bulk_create(orders)
    return orders


def keys(answer) -> list[str]:
    return [item["id"] for item in answer.json()["items"]]


def test_the_list_is_newest_first_over_all_its_pages(made):
    client, found, query = api(), [], "limit=2"
    while query:
        answer = client.get(f"{ORDERS}?{query}")
        found += keys(answer)
        cursor = answer.json()["next"]
        query = f"limit=2&cursor={cursor}" if cursor else ""
    assert sorted(found) == sorted(str(order.pk) for order in made)
    assert found == [str(key) for key in Order.objects.order_by("-created_at", "-pk").values_list("pk", flat=True)]


def test_the_list_is_filtered_ordered_and_searched(made):
    Order.objects.filter(quantity=6).update(status="SHIPPED")
    client = api()
    assert keys(client.get(f"{ORDERS}?status=SHIPPED")) == [str(made[-1].pk)]
    assert keys(client.get(f"{ORDERS}?quantity__gte=5&sort=quantity")) == [str(order.pk) for order in made[-2:]]
    assert keys(client.get(f"{ORDERS}?search=p4")) == [str(made[5].pk)]
    assert client.get(f"{ORDERS}?status=LOST").status_code == 422
