"""A store and a warehouse at once: what is edited at one is seen at the other, and what both edited is decided."""

import secrets
import sqlite3

import pytest
from django.conf import global_settings
from django.db import connection
from playwright.sync_api import expect

from backoffice.accounts.models import User
from content.orders.models import Order
from syncer.models import Route
from tests.browser.conftest import administrator_user, log_in, work_off
from tests.conftest import empty_tables
from tests.flows.pair.introduce import introduce
from tests.flows.pair.node import KEY, PASSWORD, RealNode

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite]  # whose file the warehouse gets a copy of


def meet(name, address):
    """Let this node know its peer; a person presses Sync now, and decides about quantities."""
    introduce(name, address, "key")
    Route.objects.update(trigger="manual", authority={"quantity": "ask"})


@pytest.fixture
def warehouse(settings, live_server, tmp_path, monkeypatch, transactional_db):
    """The other node, with a database, a web server and a worker of its own; this process is the store."""
    secret = {PASSWORD: secrets.token_urlsafe(12), KEY: f"bo_{secrets.token_hex(6)}_{secrets.token_hex(32)}"}
    for name, value in secret.items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "warehouse.sqlite3"
    node = RealNode("warehouse", database=f"sqlite:///{file}", var=tmp_path, secret=secret, worker=["--every=0.2"])
    settings.NODE, settings.PASSWORD_HASHERS = "warehouse", global_settings.PASSWORD_HASHERS
    meet("store", live_server.url)
    User.objects.create_superuser("packer", password=secret[PASSWORD])
    with sqlite3.connect(connection.settings_dict["NAME"]) as ours, sqlite3.connect(file) as theirs:
        ours.backup(theirs)
    empty_tables()
    settings.NODE = "store"
    meet("warehouse", node.address)
    node.start()
    try:
        node.wait_until_ready()
        yield node
    finally:
        node.kill()


def save(page, label, value):
    field = page.get_by_label(label)
    field.select_option(value) if label == "Status" else field.fill(value)
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()


def sync_now(page, work=lambda: None):
    page.get_by_role("button", name="Sync now").click()
    work()
    expect(page.get_by_text("1 pushed.", exact=True)).to_be_visible(timeout=60_000)


def test_an_edit_at_one_is_seen_at_the_other_and_edits_at_both_are_decided(visit, warehouse):
    order = Order.objects.create(product_name="desk lamp", quantity=1)
    address = f"/admin/orders/order/{order.pk}/change/"
    store, there = visit(administrator_user()), visit(at=warehouse.address)
    log_in(there, "packer", warehouse.node.environment[PASSWORD])

    store.goto("/admin/")
    sync_now(store, work_off)
    there.goto(address)
    save(there, "Status", "SHIPPED")
    there.goto("/admin/")
    sync_now(there)
    store.goto(address)
    expect(store.get_by_label("Status")).to_have_value("SHIPPED")

    there.goto(address)
    save(store, "Quantity", "5")
    save(there, "Quantity", "7")
    sync_now(there)
    store.goto("/admin/")
    store.get_by_role("region", name="1 object waits for you").get_by_role("link", name="desk lamp").click()
    store.get_by_role("radio", name="packer, at warehouse").check()
    store.get_by_role("button", name="Decide").click()
    expect(store.get_by_label("Quantity")).to_have_value("7")
    sync_now(store, work_off)
    for page in (store, there):
        page.goto(address)
        expect(page.get_by_label("Quantity")).to_have_value("7")
        expect(page.get_by_role("cell", name="in sync")).to_be_visible()
