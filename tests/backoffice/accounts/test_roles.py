"""What each ready role may do, as tables: roles by pages of the admin, and roles by verbs of the API."""

import json
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.urls import NoReverseMatch, reverse

from backoffice.accounts import role_groups
from backoffice.accounts.models import Role, User
from backoffice.accounts.roles import Grant
from content.messaging.models import Bot, Message
from content.news.models import Comment, Post
from content.orders.models import Order
from content.palettes.models import Membership, Palette, Team
from content.tasks.models import Item
from syncer.models import Route, Target
from tests.backoffice.accounts.people import ROLES, account, role
from tests.content.api_client import ApiClient
from tests.content.pages import browser

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def two_way(db):
    """Orders are shared with a peer, so that there can be conflicts."""
    target = Target.objects.create(name="there", kind="peer", peer_node="there", url="http://127.0.0.1:9/api")
    Route.objects.create(target=target, model="orders.Order")


# Pages by the letter in the tables below.
PAGES = {"l": "changelist", "a": "add", "i": "import", "e": "export"}
SEE, EDIT, ALL = "l", "la", "laie"
AREAS: dict[str, list[Any]] = {
    "content": [Post, Comment, Order, Item, Bot],
    "messages": [Message],
    "palettes": [Team, Palette],
    "members": [Membership],
    "erasures": ["messaging.erasure"],
    "targets": ["syncer.target", "syncer.route"],
    "rows": ["syncer.binding", "syncer.run", "syncer.attempt", "syncer.alert"],
    "conflicts": ["syncer.replica"],
    "people": [User, Group],
    "audit": ["audit.entry"],
    "failures": ["django_q.failure"],
    "own": ["accounts.apikey"],
    "jobs": ["jobs.job"],
    "imports": ["content.import"],
}
# Every account has its own jobs, imports and keys, and what its teams own (docs/adr/0006).
COMMON = {"own": "la", "jobs": "l", "imports": "l", "palettes": "la", "members": "la"}
NO_IMPORTS = {"none", "viewer", "editor"}  # in the menu, where they could only be empty
TABLE = {
    "none": {**COMMON},
    "viewer": {**COMMON, "content": SEE, "messages": SEE, "conflicts": SEE},
    "editor": {**COMMON, "content": EDIT, "messages": SEE, "conflicts": SEE},
    "importer": {**COMMON, "content": ALL, "messages": "lie", "conflicts": SEE, "palettes": ALL, "members": ALL},
    "operator": {**COMMON, "content": SEE, "messages": SEE, "conflicts": SEE, "targets": SEE, "rows": SEE,
                 "failures": SEE},
    "administrator": {**COMMON, "content": ALL, "messages": "lie", "conflicts": SEE, "targets": EDIT, "rows": SEE,
                      "failures": SEE, "palettes": ALL, "members": ALL, "erasures": EDIT, "people": EDIT,
                      "audit": SEE},
}  # fmt: skip


def label(model) -> str:
    return model if isinstance(model, str) else model._meta.label_lower


def allowed_pages(client, model) -> str:
    """The letters of the pages that open."""
    found = ""
    for letter, page in PAGES.items():
        try:
            url = reverse(f"admin:{label(model).replace('.', '_')}_{page}")
        except NoReverseMatch:
            continue
        status = client.get(url).status_code
        assert status in (200, 403, 405), (url, status)  # 405: the download of a client's data, a POST
        found += letter if status == 200 else ""
    return found


def test_the_table_names_every_page_of_the_admin():
    named = {label(model) for models in AREAS.values() for model in models}
    import_module(settings.ROOT_URLCONF)  # registers what is left
    assert named == {model._meta.label_lower for model in admin.site._registry}


@pytest.mark.parametrize("name", TABLE)
def test_a_role_opens_its_pages_of_the_admin_and_no_others(name):
    client = browser(account("somebody", *({name} - {"none"})))
    for area, models in AREAS.items():
        for model in models:
            assert (label(model), allowed_pages(client, model)) == (label(model), TABLE[name].get(area, ""))


@pytest.mark.parametrize("name", TABLE)
def test_the_menu_shows_what_a_role_may_open(name):
    client = browser(account("somebody", *({name} - {"none"})))
    index = client.get(reverse("admin:index"))
    shown = {model["model"]._meta.label_lower for app in index.context["available_apps"] for model in app["models"]}
    left_out = {"imports"} if name in NO_IMPORTS else set()
    assert shown == {label(model) for area in TABLE[name].keys() - left_out for model in AREAS[area]}


# --- one object: what its page lets a person do ----------------------------------------------------------------------
OBJECT = {  # view, change, delete
    "none": (False, False, False),
    "viewer": (True, False, False),
    "editor": (True, True, True),
    "importer": (True, True, True),
    "operator": (True, False, False),
    "administrator": (True, True, True),
}


@pytest.mark.parametrize("name", OBJECT)
def test_a_role_does_with_an_object_what_it_may(name):
    client = browser(account("somebody", *({name} - {"none"})))
    view, change, delete = OBJECT[name]
    for model, values in (
        (Post, {"title": "T", "body": "B"}),
        (Item, {"title": "T"}),
        (Order, {"product_name": "lamp", "quantity": 1}),
        (Bot, {"id": UUID(ONE), "name": "bot"}),
    ):
        obj = model.objects.create(**values)
        urls = {page: reverse(f"admin:{label(model).replace('.', '_')}_{page}", args=[obj.pk])
                for page in ("change", "delete", "history")}  # fmt: skip
        page = client.get(urls["change"])
        assert page.status_code == (200 if view else 403)
        assert client.get(urls["history"]).status_code == (200 if view else 403)
        assert client.get(urls["delete"]).status_code == (200 if delete else 403)
        if view:
            assert page.context["has_change_permission"] is change
        if not change:
            assert client.post(urls["change"], values).status_code == 403
        if not delete:
            assert client.post(urls["delete"], {"post": "yes"}).status_code == 403
            assert model.objects.filter(pk=obj.pk).exists()


@pytest.mark.parametrize("name", TABLE)
def test_only_operators_and_administrators_sync_a_target(name):
    user = account("somebody", *({name} - {"none"}))
    assert user.has_perm("syncer.sync_target") is (name in ("operator", "administrator"))
    answer = ApiClient(user).get("/api/sync/targets/none/deletes/")
    assert answer.status_code == (404 if name in ("operator", "administrator") else 403)


# --- the API ---------------------------------------------------------------------------------------------------------
VERBS = {"none": "", "viewer": "GET", "editor": "GET POST PATCH DELETE", "importer": "GET POST PATCH DELETE",
         "operator": "GET", "administrator": "GET POST PATCH DELETE"}  # fmt: skip
ONE, OTHER = "0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7"
BODIES: dict[str, dict[str, Any]] = {
    "/api/news/posts/": {"title": "T", "body": "B"},
    "/api/tasks/items/": {"title": "T"},
    "/api/orders/": {"product_name": "lamp", "quantity": 1},
    "/api/messaging/bots/": {"name": "bot", "id": ONE},
}


@pytest.mark.parametrize("name", VERBS)
@pytest.mark.parametrize("path", BODIES)
def test_a_role_uses_its_verbs_of_the_api_and_no_others(name, path):
    client = ApiClient(account("somebody", *({name} - {"none"})))
    maker = ApiClient(User.objects.create_superuser("maker"))
    made = maker.send("POST", path, BODIES[path])
    assert made.status_code == 201, made.content
    one = f"{path}{json.loads(made.content)['id']}/"
    other = {**BODIES[path]} | ({"id": OTHER, "name": "two"} if "bots" in path else {})
    used = []
    for verb, url, body in (("GET", path, None), ("POST", path, other), ("PATCH", one, {}), ("DELETE", one, None)):
        answer = client.get(url) if verb == "GET" else client.send(verb, url, body or {})
        assert answer.status_code in (200, 201, 204, 403), (verb, answer.content)
        used += [verb] if answer.status_code < 300 else []
    assert " ".join(used) == VERBS[name]


# --- how the groups are made -----------------------------------------------------------------------------------------
def names(group: Group) -> set[str]:
    return {f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.select_related("content_type")}


def test_every_database_has_the_ready_roles():
    assert [*Role.objects.order_by("pk").values_list("group__name", flat=True)] == sorted(map(str.capitalize, ROLES))


def test_no_role_has_a_permission_that_nothing_checks():
    for slug in ROLES:
        for permission in role(slug).permissions.select_related("content_type"):
            assert Grant.of(permission), permission


def test_special_permissions_on_content_are_the_administrators_only():
    special = {"news.set_user_id", "orders.reopen_order", "messaging.erase_client", "palettes.view_all_teams"}
    having = {slug for slug in ROLES if names(role(slug)) & special}
    assert having == {"administrator"}
    assert special <= names(role("administrator"))


def test_a_new_model_belongs_to_the_roles_by_itself():
    """As a new domain's: its permissions are there, and no role was ever given them."""
    for stored in Role.objects.all():
        assert stored.group
        stored.group.permissions.remove(*Permission.objects.filter(content_type__model="order"))
        stored.given = [name for name in stored.given if not name.endswith("_order")]
        stored.save()
    call_command("migrate", verbosity=0)
    assert "orders.view_order" in names(role("viewer"))
    assert "orders.change_order" not in names(role("viewer"))
    assert {"orders.change_order", "orders.delete_order"} <= names(role("editor"))
    assert {"orders.import_order", "orders.reopen_order"} <= names(role("administrator"))


def test_a_migration_undoes_nothing_that_an_administrator_changed():
    editors = role("editor")
    editors.permissions.remove(Permission.objects.get(codename="delete_post"))
    editors.permissions.add(Permission.objects.get(codename="set_user_id"))
    editors.name = "Newsroom"
    editors.save()
    role("viewer").delete()
    before = names(editors)
    role_groups.complete()
    editors = role("editor")
    assert (editors.name, names(editors)) == ("Newsroom", before)
    assert not Group.objects.filter(role__slug="viewer").exists()
    assert not Group.objects.filter(name="Viewer").exists()


def test_a_group_that_has_a_roles_name_already_gets_nothing():
    Role.objects.filter(pk="operator").delete()
    own = Group.objects.get(name="Operator")
    own.permissions.clear()
    role_groups.complete()
    assert not own.permissions.exists()
    assert "syncer.sync_target" in names(role("operator"))
