"""The page of a conflict: what it shows, to whom, and what its form decides."""

import pytest
from django.contrib.admin import site
from django.test import Client
from django.urls import reverse

from content.orders.models import Order
from syncer.core.merge import By
from syncer.models import Route
from tests.content.pages import administrator, form_of, sign_in
from tests.syncer.targets.peer.conflicts.conftest import person
from tests.syncer.targets.peer.conflicts.support import PACKER, edit, hand_in, order, ours, replica

pytestmark = [pytest.mark.quick("postgres"), pytest.mark.django_db(transaction=True)]


def page_of(key):
    return reverse("admin:syncer_replica_change", args=[replica(key).pk])


@pytest.fixture
def client(editor):
    client = Client()
    client.force_login(editor)
    return client


def text_of(answer):
    return " ".join(answer.content.decode().split())


def send(client, key, **data):
    """Submit the page's form with these choices."""
    form = form_of(client.get(page_of(key)), "decision")
    chosen = {name: value for name, value in form.items() if not name.startswith("take-")}
    return client.post(page_of(key), chosen | {name.replace("_", "-", 1): value for name, value in data.items()})


# --- what it shows ---------------------------------------------------------------------------------------------------
def test_both_values_stand_side_by_side_with_who_where_when_and_why(contested, client):
    text = text_of(client.get(page_of(contested)))
    ours_, _, theirs = text.partition('value="1"')
    for word in ("editor, here", "by phone", "here now", '<span class="sync-value">2</span>'):
        assert word in ours_.partition('value="0"')[2], word
    for word in ("packer, at warehouse", "2026-01-02 12:00:00", "counted twice", '<span class="sync-value">3</span>'):
        assert word in theirs, word
    assert "here now" not in theirs
    assert 'Last common value: <span class="sync-value">1</span>' in text


def test_without_history_it_says_that_nothing_common_is_known(contested, client):
    Order.history.all().delete()
    assert "not known, the history does not have it" in text_of(client.get(page_of(contested)))


def test_a_choice_is_shown_by_its_label(shared, node, warehouse, editor, client):
    Route.objects.update(authority={"status": "ask"})
    edit(shared, editor, status="SHIPPED")
    node.edit(shared, status="DELIVERED")
    hand_in(warehouse, node, shared)
    text = text_of(client.get(page_of(shared)))
    assert '<span class="sync-value">Shipped</span>' in text
    assert '<span class="sync-value">Delivered</span>' in text


def test_what_is_not_valid_shows_what_is_wrong_and_what_is_here(shared, node, warehouse, editor, client):
    edit(shared, editor, product_name="lamp")
    node.edit(shared, quantity=0)
    hand_in(warehouse, node, shared)
    text = text_of(client.get(page_of(shared)))
    assert "greater than or equal to 1" in text
    assert "as it is here" in text


def test_of_what_is_deleted_at_one_end_it_shows_what_would_be_kept(deleted_here, client):
    text = text_of(client.get(page_of(deleted_here)))
    for word in ("Should it exist?", "Keep it", "Delete it", "deleted here", "<dt>Quantity</dt><dd>3</dd>"):
        assert word in text, word


@pytest.mark.parametrize("at", ["", "yesterday", "2026-01-01", "9" * 400])
def test_a_time_that_is_invalid_breaks_no_page(shared, node, warehouse, editor, client, at):
    edit(shared, editor, quantity=2)
    node.edit(shared, quantity=3, by=By(user="packer", at=at))
    hand_in(warehouse, node, shared)
    assert "packer, at warehouse" in text_of(client.get(page_of(shared)))


@pytest.mark.parametrize("value", ["many", [1], {"a": 1}, None, 10**30])
def test_a_value_that_does_not_fit_its_field_breaks_no_page(shared, node, warehouse, editor, client, value):
    edit(shared, editor, quantity=2)
    node.edit(shared, quantity=value)
    hand_in(warehouse, node, shared)
    answer = client.get(page_of(shared))
    assert answer.status_code == 200
    number = next(n for n, side in enumerate(answer.context["form"].asked[0].sides) if side.value == value)
    answer = send(client, shared, take_quantity=str(number))
    assert (answer.status_code, ours(shared)["quantity"]) == (200, 2)
    assert answer.context["form"].errors


def test_what_people_write_is_not_run_as_a_page(shared, node, warehouse, editor, client):
    Route.objects.update(authority={"product_name": "ask"})
    edit(shared, editor, product_name="<b>lamp</b>", reason="<i>why</i>")
    node.edit(shared, product_name="<script>alert(1)</script>", by=By(user="<u>packer</u>"))
    hand_in(warehouse, node, shared)
    text = text_of(client.get(page_of(shared)))
    assert not [tag for tag in ("<b>lamp", "<i>why", "<script>alert", "<u>packer") if tag in text]


# --- what it decides -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("number", "value"), [("0", 2), ("1", 3)])
def test_to_take_a_value_decides(contested, client, number, value):
    answer = send(client, contested, take_quantity=number, reason="we asked")
    assert answer["Location"] == reverse("admin:orders_order_change", args=[contested])
    assert order(contested).quantity == value
    assert replica(contested).conflicts is None
    [edit_] = replica(contested).state.fields["quantity"]
    assert (edit_.by.user, edit_.by.reason) == ("editor", "we asked")


@pytest.mark.parametrize("said", [{"take_quantity": "other"}, {}], ids=["chosen", "only written"])
def test_another_value_can_be_written(contested, client, said):
    send(client, contested, value_quantity="7", **said)
    assert order(contested).quantity == 7


def test_a_value_that_nobody_takes_need_not_be_valid(contested, client):
    send(client, contested, take_quantity="1", value_quantity="many")
    assert order(contested).quantity == 3


@pytest.mark.parametrize(("written", "message"), [("many", "whole number"), ("0", "greater than"), ("", "")])
def test_a_value_that_is_not_valid_is_reported_beside_its_field(contested, client, written, message):
    answer = send(client, contested, take_quantity="other", value_quantity=written)
    assert (answer.status_code, order(contested).quantity) == (200, 2)
    [row] = answer.context["form"].rows
    assert row["errors"]
    assert message in text_of(answer)


def test_to_choose_nothing_decides_nothing(contested, client):
    assert "Nothing was chosen" in text_of(send(client, contested))
    assert replica(contested).conflicts


@pytest.mark.parametrize("number", ["2", "-1", "x", "\0"])
def test_a_choice_that_is_invalid_decides_nothing(contested, client, number):
    assert send(client, contested, take_quantity=number).status_code == 200
    assert replica(contested).conflicts


def test_what_was_deleted_comes_back_by_the_page_and_leads_there(deleted_here, client):
    sides = client.get(page_of(deleted_here)).context["form"].asked[0].sides
    keep = next(str(number) for number, side in enumerate(sides) if side.value is True)
    answer = send(client, deleted_here, take_exists=keep)
    assert answer["Location"] == reverse("admin:orders_order_change", args=[deleted_here])
    assert order(deleted_here).quantity == 3


@pytest.mark.parametrize("shown", [("created_at",), ()], ids=["shown", "not shown"])
def test_what_can_not_be_edited_can_only_be_taken(shared, node, warehouse, client, monkeypatch, shown):
    monkeypatch.setattr(site._registry[Order], "readonly_fields", shown)
    Route.objects.update(authority={"created_at": "ask"})
    Order.objects.filter(pk=shared).update(created_at="2026-01-03T12:00:00Z")
    node.edit(shared, created_at="2026-01-04T12:00:00+00:00")
    hand_in(warehouse, node, shared)
    assert "value-created_at" not in form_of(client.get(page_of(shared)), "decision")
    answer = send(client, shared, take_created_at="other")
    assert "another can&#x27;t be given here" in text_of(answer)


def test_a_time_can_be_changed_where_its_form_allows_it(shared, node, warehouse, client, monkeypatch):
    monkeypatch.setattr(Order._meta.get_field("created_at"), "editable", True)
    monkeypatch.setattr(site._registry[Order], "readonly_fields", ())
    Route.objects.update(authority={"created_at": "ask"})
    Order.objects.filter(pk=shared).update(created_at="2026-01-03T12:00:00Z")
    node.edit(shared, created_at="2026-01-04T12:00:00+00:00")
    hand_in(warehouse, node, shared)
    form = form_of(client.get(page_of(shared)), "decision")
    assert (form["value-created_at_0"], form["value-created_at_1"]) == ("2026-01-03", "12:00:00")
    client.post(page_of(shared), form | {"take-created_at": "other", "value-created_at_0": "2026-01-05"})
    assert ours(shared)["created_at"] == "2026-01-05T12:00:00+00:00"
    assert [one.value for one in replica(shared).state.fields["created_at"]] == ["2026-01-05T12:00:00+00:00"]


def test_an_edit_in_the_object_s_own_form_decides_too(contested, client):
    page = reverse("admin:orders_order_change", args=[contested])
    form = form_of(client.get(page), "order_form")
    client.post(page, form | {"quantity": "8"})
    answer = client.get(page_of(contested), follow=True)
    assert "Nothing waits for a decision" in text_of(answer)
    assert order(contested).quantity == 8


# --- what changed meanwhile ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("chosen", ["0", "2", ""])
def test_a_page_that_is_old_is_shown_again_and_decides_nothing(contested, node, warehouse, client, chosen):
    form = form_of(client.get(page_of(contested)), "decision")
    node.edit(contested, quantity=9)
    hand_in(warehouse, node, contested)
    answer = client.post(page_of(contested), form | {"take-quantity": chosen})
    text = text_of(answer)
    assert "has changed since you looked; nothing was decided" in text
    assert '<span class="sync-value">9</span>' in text
    assert replica(contested).conflicts
    assert form_of(answer, "decision")["token"] != form["token"]


def test_a_page_that_somebody_decided_leads_to_the_object(contested, client):
    form = form_of(client.get(page_of(contested)), "decision")
    send(client, contested, take_quantity="1")
    answer = client.post(page_of(contested), form | {"take-quantity": "0"}, follow=True)
    assert "nothing was decided" in text_of(answer)
    assert order(contested).quantity == 3


# --- for whom --------------------------------------------------------------------------------------------------------
def test_whoever_may_sync_but_not_read_orders_sees_that_something_waits_and_no_value(contested):
    Order.objects.filter(pk=contested).update(product_name="a secret lamp")
    client = sign_in("syncer.sync_target", name="operator")
    listed = text_of(client.get(reverse("admin:syncer_replica_changelist")))
    answer = client.get(page_of(contested))
    assert "You need the permission orders.view_order to view orders." in listed
    assert "You need the permission orders.view_order to view orders." in text_of(answer)
    for text in (listed, text_of(answer)):
        assert not [word for word in ("secret lamp", "by phone", "counted twice", "packer") if word in text]
    assert client.post(page_of(contested), {"take-quantity": "0"}).status_code == 403


def test_a_filter_in_the_address_reveals_nothing_of_what_is_hidden(contested):
    client = sign_in("syncer.sync_target", name="operator")
    for query in ("shadow__quantity", "fields__quantity__0__2", "seen", "conflicts__quantity"):
        answer = client.get(reverse("admin:syncer_replica_changelist"), {query: "2"})
        assert answer.status_code in (302, 400), query


def test_whoever_may_only_look_at_orders_sees_the_values_and_no_button(contested):
    client = sign_in("orders.view_order", name="looker")
    text = text_of(client.get(page_of(contested)))
    assert '<span class="sync-value">3</span>' in text
    assert "Only people who may edit it can decide this" in text
    assert 'type="radio"' not in text
    assert client.post(page_of(contested), {"take-quantity": "0"}).status_code == 403


def test_whoever_lacks_the_permission_for_what_they_chose_is_refused(deleted_here):
    client = Client()
    client.force_login(person("some", "view_order", "add_order"))
    sides = client.get(page_of(deleted_here)).context["form"].asked[0].sides
    delete = next(str(number) for number, side in enumerate(sides) if side.value is False)
    assert send(client, deleted_here, take_exists=delete).status_code == 403
    assert replica(deleted_here).conflicts


def test_whoever_may_see_neither_has_no_such_page(contested):
    client = sign_in("news.view_post", name="writer")
    assert client.get(page_of(contested)).status_code == 403
    assert client.get(reverse("admin:syncer_replica_changelist")).status_code == 403
    assert "Conflicts" not in text_of(client.get(reverse("admin:index")))


def test_the_menu_leads_to_the_conflicts(contested, client):
    text = text_of(client.get(reverse("admin:index")))
    assert reverse("admin:syncer_replica_changelist") in text
    assert "Conflicts" in text


def test_the_list_names_the_object_what_waits_and_since_when(contested, client):
    answer = client.get(reverse("admin:syncer_replica_changelist"))
    text = text_of(answer)
    for word in ("<title> Conflicts", "2 × desk lamp", "quantity", page_of(contested), f"/{contested}/change/"):  # noqa: RUF001
        assert word in text, word


def test_what_does_not_wait_is_not_listed(shared, client):
    answer = client.get(reverse("admin:syncer_replica_changelist"))
    assert list(answer.context["cl"].result_list) == []
    assert "Nothing waits for a decision" in text_of(answer)


@pytest.mark.parametrize("key", ["abc", "0", "9" * 19, "9" * 5000])
def test_a_page_of_nothing_is_not_there(warehouse, key):
    assert administrator().get(f"/admin/syncer/replica/{key}/change/").status_code == 404


def test_a_link_decides_nothing(contested, client):
    client.get(page_of(contested), {"take-quantity": "1"})
    assert replica(contested).conflicts


# --- what a peer of another version, or one that errs, pushes ------------------------------------------------------
def test_a_field_that_is_not_known_here_closes_no_page(warehouse, node, shared, client):
    order(shared).delete()
    node.edit(shared, quantity=3, colour="red", by=PACKER)
    assert hand_in(warehouse, node, shared) == ["conflict"]
    assert client.get(reverse("admin:syncer_replica_changelist")).status_code == 200
    assert client.get(page_of(shared)).status_code == 200


def test_a_time_that_no_clock_here_shows_closes_no_page(warehouse, node, shared, client):
    order(shared).delete()
    never = "0001-01-01T00:00:00+14:00"
    node.edit(shared, created_at=never, by=By(user="packer", at=never))
    assert hand_in(warehouse, node, shared) == ["conflict"]
    assert client.get(reverse("admin:syncer_replica_changelist")).status_code == 200
    assert never in text_of(client.get(page_of(shared)))
