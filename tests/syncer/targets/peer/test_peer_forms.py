"""The forms of a target and of a route, where the target is another back office."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.models import User
from syncer.models import Route, Target
from tests.content.pages import administrator, form_of, with_rows

pytestmark = pytest.mark.django_db

MODEL = "orders.Order"


@pytest.fixture(autouse=True)
def store(settings):
    settings.NODE = "store"


@pytest.fixture
def account():
    user = User.objects.create_user("peer-warehouse")
    user.user_permissions.set(Permission.objects.filter(codename="push_as_peer"))
    return user


@pytest.fixture
def peer(account):
    return Target.objects.create(
        name="warehouse", kind="peer", url="http://127.0.0.1:9", peer_node="warehouse", peer_user=account
    )


def url(page, *args):
    return reverse(f"admin:syncer_{page}", args=args)


def add(kind, query="", /, **values):
    client = administrator()
    address = url(f"{kind}_add") + query
    return client.post(address, form_of(client.get(address), f"{kind}_form") | values, follow=True)


def change(kind, pk, /, **values):
    client = administrator()
    address = url(f"{kind}_change", pk)
    return client.post(address, form_of(client.get(address), f"{kind}_form") | values, follow=True)


def errors(answer):
    return {name: list(map(str, found)) for name, found in answer.context["adminform"].form.errors.items()}


def new_target(account, **values):
    given = {"name": "warehouse", "kind": "peer", "url": "https://warehouse.example.com/api"}
    return add("target", **(given | {"peer_node": "warehouse", "peer_user": str(account.pk)} | values))


# --- targets ---------------------------------------------------------------------------------------------------------
def test_a_peer_is_added_by_its_form(account):
    new_target(account, matching="ask")
    found = Target.objects.get()
    assert (found.kind, found.peer_node, found.peer_user, found.matching) == ("peer", "warehouse", account, "ask")


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"peer_node": ""}, "peer_node", "BACKOFFICE_NODE"),
        ({"peer_node": "store"}, "peer_node", "itself"),
        ({"peer_node": "a b"}, "peer_node", "letters, digits"),
        ({"peer_user": ""}, "peer_user", "account"),
    ],
)
def test_what_a_peer_lacks_is_reported_beside_its_field(account, values, field, message):
    found = errors(new_target(account, **values))
    assert [*found] == [field]
    [result] = found[field]
    assert message in result


def test_a_node_has_one_target(account, peer):
    assert errors(new_target(account, name="again")) == {"peer_node": ["There is a target for this node already."]}


def test_what_only_peers_have_is_emptied_with_the_kind(account):
    new_target(account, kind="rest")
    found = Target.objects.get()
    assert (found.kind, found.peer_node, found.peer_user) == ("rest", "", None)


def test_an_account_that_may_not_push_changes_is_noticed(account):
    assert "needs the permission" not in new_target(account).content.decode()
    account.user_permissions.clear()
    Target.objects.all().delete()
    assert "peer-warehouse needs the permission syncer.push_as_peer" in new_target(account).content.decode()


def test_a_peer_s_page_shows_when_it_was_heard_and_who_it_is(peer):
    Target.objects.update(contact_at=timezone.now(), peer_writer="warehouse:018f", acknowledged_writer="store:018e")
    text = administrator().get(url("target_change", peer.pk)).content.decode()
    assert "What is known of it" in text
    assert "warehouse:018f" in text
    assert "store:018e" in text


def test_the_page_of_a_service_reveals_nothing_of_peers():
    target = Target.objects.create(name="shop", url="http://127.0.0.1:9")
    assert "What is known of it" not in administrator().get(url("target_change", target.pk)).content.decode()


# --- routes ----------------------------------------------------------------------------------------------------------
def test_a_peer_s_route_asks_only_what_is_asked_of_peers(peer):
    page = administrator().get(url("route_add"), {"target": peer.pk})
    asked = {*page.context["adminform"].form.fields}
    assert asked >= {"target", "model", "authority", "lookup", "trigger"}
    assert not asked & {"path", "fields", "filter", "update", "key_hours", "id_field"}
    text = page.content.decode()
    assert "Natural key" in text
    assert "remote names" not in text


def test_a_peer_s_route_is_added_by_its_form(peer):
    rows = with_rows({}, authority=[("quantity", "ask")], lookup=["product_name"])
    add("route", f"?target={peer.pk}", target=str(peer.pk), model=MODEL, **rows)
    found = Route.objects.get()
    assert (found.authority, found.lookup, found.path, found.fields) == (
        {"quantity": "ask"}, ["product_name"], "", {},
    )  # fmt: skip


def test_a_peer_s_route_is_added_without_a_link_that_names_it(peer):
    assert {"authority", "path"} <= {*administrator().get(url("route_add")).context["adminform"].form.fields}
    add("route", target=str(peer.pk), model=MODEL, **with_rows({}, authority=[("quantity", "ask")]))
    assert Route.objects.get().authority == {"quantity": "ask"}


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        (with_rows({}, authority=[("size", "store")]), "authority", "Row 1: 'size' is not a field of orders.Order"),
        (with_rows({}, authority=[("quantity", "")]), "authority", "Row 1: The node is missing"),
        (with_rows({}, lookup=["size"]), "lookup", "Row 1: 'size' is not a field of orders.Order"),
        ({"model": "news.Post"}, "model", "UUID"),
    ],
)
def test_what_is_wrong_with_a_peer_s_route_is_reported_beside_its_field(peer, values, field, message):
    given = {"target": str(peer.pk), "model": MODEL} | values
    found = errors(add("route", f"?target={peer.pk}", **given))
    assert [*found] == [field]
    assert message in " ".join(found[field])


def test_a_route_that_is_given_to_a_peer_loses_what_peers_have_no_use_for(peer):
    shop = Target.objects.create(name="shop", url="http://127.0.0.1:9")
    fields = {"name": "product_name"}
    route = Route.objects.create(target=shop, model=MODEL, path="/orders", fields=fields, filter={"quantity__gt": 1})
    change("route", route.pk, target=str(peer.pk))
    route.refresh_from_db()
    assert (route.target, route.path, route.fields, route.filter) == (peer, "", {}, {})


def test_a_route_that_is_given_to_a_service_asks_what_services_need(peer):
    shop = Target.objects.create(name="shop", url="http://127.0.0.1:9")
    route = Route.objects.create(target=peer, model=MODEL, authority={"quantity": "ask"})
    answer = change("route", route.pk, target=str(shop.pk))
    assert {*errors(answer)} >= {"path", "fields"}
    assert "path" in form_of(answer, "route_form")


def test_a_service_s_route_asks_nothing_of_peers():
    shop = Target.objects.create(name="shop", url="http://127.0.0.1:9")
    form = form_of(administrator().get(url("route_add"), {"target": shop.pk}), "route_form")
    assert "path" in form
    assert not any(name.startswith("authority") for name in form)


@pytest.mark.parametrize("key", ["abc", "9" * 30, "\u00b2", "-1"])
def test_a_link_that_names_no_target_breaks_no_form(key):
    assert administrator().get(url("route_add"), {"target": key}).status_code == 200


def test_the_list_shows_what_a_peer_s_route_shares(peer):
    Route.objects.create(target=peer, model=MODEL)
    assert "product_name, quantity, status, created_at" in administrator().get(url("route_changelist")).content.decode()
