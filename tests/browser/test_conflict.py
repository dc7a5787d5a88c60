"""Two nodes edited the same fields: a person decides in the conflict's page, or in the list for all that they chose."""

import pytest
from playwright.sync_api import expect

from content.orders.models import Order
from tests.browser import stage

pytestmark = pytest.mark.django_db(transaction=True)
NOTHING = "Nothing waits for a decision."


@pytest.fixture(autouse=True)
def conflict(settings):
    """Of one order: 2 floor lamps here, 3 table lamps at the warehouse."""
    settings.NODE = "store"
    stage.conflict(
        ours={"quantity": 2, "product_name": "floor lamp"}, theirs={"quantity": 3, "product_name": "table lamp"}
    )


def lamps():
    order = Order.objects.get()
    return order.quantity, order.product_name


def test_a_conflict_is_decided_field_by_field(page, shot):
    main = page.get_by_role("main")
    page.goto("/admin/syncer/replica/")
    main.get_by_role("link", name="floor lamp").click()
    shot(page, "conflict")
    main.get_by_role("group", name="Quantity").get_by_role("radio", name="packer, at warehouse").check()
    main.get_by_label("Reason").fill("Counted by both.")
    main.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("Resolved.")).to_be_visible()
    assert lamps() == (3, "floor lamp")
    main.get_by_role("link", name="Decide").click()
    expect(main.get_by_role("group", name="Quantity")).to_have_count(0)
    main.get_by_label("Another value for product name").fill("lamp")
    main.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("Resolved.")).to_be_visible()
    assert lamps() == (3, "lamp")
    page.goto("/admin/syncer/replica/")
    expect(main.get_by_text(NOTHING)).to_be_visible()


@pytest.mark.parametrize(("side", "result"), [("ours", (2, "floor lamp")), ("theirs", (3, "table lamp"))])
def test_one_side_is_taken_in_the_conflicts_that_are_chosen(page, side, result):
    main = page.get_by_role("main")
    page.goto("/admin/syncer/replica/")
    main.get_by_role("row", name="floor lamp").get_by_role("checkbox").check()
    main.locator("select[name=action]:visible").select_option(label=f"Take {side} …")
    main.get_by_role("button", name="Run").click()
    main.get_by_role("button", name=f"Take {side}").click()
    expect(main.get_by_text(NOTHING)).to_be_visible()
    assert lamps() == result
