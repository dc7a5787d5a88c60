"""Each person sets their second factor up on a page of their own; an administrator may take a lost one away."""

import json
import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.accounts.second_factor import service
from backoffice.accounts.second_factor.models import RecoveryCode, SecondFactor
from backoffice.kit.audit.models import Entry
from backoffice.kit.sessions import tokens
from tests.backoffice.accounts.people import account
from tests.backoffice.accounts.second_factor.app import PASSWORD, App, equipped
from tests.content.pages import administrator, browser

pytestmark = pytest.mark.django_db
PAGE, HOME = "/admin/second-factor/", "/admin/"
RECOVERY = re.compile(r"\b[a-z2-7]{4}(?:-[a-z2-7]{4}){3}\b")


def secret_on(page) -> str:
    found = re.search(r'<code id="key">([A-Z2-7]{32})</code>', page.content.decode())
    assert found
    return found[1]


def of(user):
    return [*Entry.objects.filter(subject_id=user.pk).order_by("pk").values_list("action", flat=True)]


@pytest.fixture
def editor():
    return account("editor", "editor", password=PASSWORD)


def test_setting_it_up(editor):
    client = browser(editor)
    page = client.get(PAGE)
    assert "<svg" in page.content.decode()
    secret = secret_on(page)
    assert secret_on(client.get(PAGE)) == secret
    page = client.post(PAGE, {"password": PASSWORD, "code": App(secret).code()})
    shown = RECOVERY.findall(page.content.decode())
    assert (len(shown), len({*shown}), "no-store" in page["Cache-Control"]) == (10, 10, True)
    assert client.get(HOME).status_code == 200
    assert not RECOVERY.search(client.get(PAGE).content.decode())
    assert of(editor)[-2:] == ["second_factor.set_up", "second_factor.codes"]
    assert service.use(editor, shown[-1])


def test_the_wrong_password_or_code_sets_nothing_up(editor):
    client = browser(editor)
    app = App(secret_on(client.get(PAGE)))
    for wrong in ({"password": "wrong-horse"}, {"code": "123"}, {"code": ""}, {"password": ""}):
        assert client.post(PAGE, {"password": PASSWORD, "code": app.code()} | wrong).status_code == 200
    assert not SecondFactor.objects.exists()
    assert of(editor).count("sign_in.failed") == 1


def test_who_signs_in_elsewhere_has_no_password_to_give():
    editor = account("editor", "editor")
    client = browser(editor)
    assert client.post(PAGE, {"code": App(secret_on(client.get(PAGE))).code()}).status_code == 200
    assert SecondFactor.objects.get().user == editor


def test_new_recovery_codes_replace_the_old_ones():
    user, app, old = equipped()
    page = browser(user).post(PAGE, {"code": app.code(), "renew": "yes"})
    new = RECOVERY.findall(page.content.decode())
    assert len(new) == 10
    assert not service.use(user, old[0])
    assert service.use(user, new[0])


def test_taking_it_away():
    user, app, _ = equipped()
    client = browser(user)
    client.post(PAGE, {"code": "1", "remove": "yes"})
    assert SecondFactor.objects.exists()
    client.post(PAGE, {"code": app.code(), "remove": "yes"})
    assert not SecondFactor.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert client.get(HOME).status_code == 200
    assert of(user)[-1] == "second_factor.removed"
    assert Client().post("/admin/login/", {"username": "editor", "password": PASSWORD})["Location"] == HOME


def test_nothing_that_signs_in_is_stored_in_the_clear(editor):
    client = browser(editor)
    secret = secret_on(client.get(PAGE))
    assert secret not in json.dumps(dict(client.session.items()))
    shown = RECOVERY.findall(client.post(PAGE, {"password": PASSWORD, "code": App(secret).code()}).content.decode())
    assert len(shown) == 10
    rows: list[Any] = [dict(client.session.items())]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            rows += cursor.fetchall()
    everything = json.dumps(rows, default=str)
    assert not any(text in everything for text in (secret, *shown, *(code.replace("-", "") for code in shown)))


# --- others' ---------------------------------------------------------------------------------------------------------
def remove(client, user):
    return client.post(reverse("admin:second_factor_remove", args=[user.pk]))


def test_an_administrator_takes_a_lost_one_away():
    user, _, _ = equipped()
    client = administrator()
    form = reverse("admin:second_factor_remove", args=[user.pk])
    assert form in client.get(reverse("admin:accounts_user_change", args=[user.pk])).content.decode()
    assert remove(client, user).status_code == 302
    user.refresh_from_db()
    assert user.second_factor_at is None
    entry = Entry.objects.filter(action="second_factor.removed").get()
    assert (entry.actor_name, entry.subject_name) == ("administrator", "editor")
    assert form not in client.get(reverse("admin:accounts_user_change", args=[user.pk])).content.decode()


def test_nobody_takes_away_that_of_an_account_which_may_do_more():
    helper = account("helper", permissions=("accounts.change_user", "accounts.view_user"))
    chief, _, _ = equipped("chief", "administrator")
    assert remove(browser(helper), chief).status_code == 403
    assert remove(browser(account("viewer", "viewer")), chief).status_code in (403, 404)
    assert SecondFactor.objects.exists()


def test_ones_own_goes_with_a_code_only():
    user, _, _ = equipped("chief", "administrator")
    assert remove(browser(user), user).status_code == 403
    assert browser(user).get(reverse("admin:second_factor_remove", args=[user.pk])).status_code == 405


def test_the_command_takes_it_away():
    equipped()
    call_command("remove_second_factor", "editor", stdout=StringIO())
    assert not SecondFactor.objects.exists()
    with pytest.raises(CommandError, match="no account 'editor' with a second factor"):
        call_command("remove_second_factor", "editor")


# --- roles -----------------------------------------------------------------------------------------------------------
def group_page(group, **changes):
    address = reverse("admin:auth_group_change", args=[group.pk])
    permissions = [*group.permissions.values_list("pk", flat=True)]
    return administrator().post(address, {"name": group.name, "permissions": permissions, **changes})


@pytest.fixture
def demanding(editor):
    group = editor.groups.get()
    User.objects.create_superuser("administrator")
    assert group_page(group, second_factor="on").status_code == 302
    return group


def test_a_role_that_demands_it_lets_its_members_do_nothing_else_before(editor, demanding):
    client = browser(editor)
    for address in (HOME, "/admin/news/post/", "/admin/search/", "/admin/accounts/user/settings/", "/api/redoc"):
        answer = client.get(address)
        assert answer.status_code == 403 if address.startswith("/api/") else answer["Location"] == PAGE, address
    problem = client.get("/api/news/posts/")
    assert (problem.status_code, problem["Content-Type"]) == (403, "application/problem+json")
    assert "A role of yours demands a second factor." in client.get(PAGE).content.decode()
    client.post(PAGE, {"password": PASSWORD, "code": App(secret_on(client.get(PAGE))).code()})
    assert client.get("/admin/news/post/").status_code == 200
    assert client.get("/api/news/posts/").status_code == 200


def test_a_role_that_demands_it_keeps_passwords_and_refresh_tokens_from_the_api(editor, demanding):
    for path, body in (
        ("", {"username": "editor", "password": PASSWORD}),
        ("refresh/", {"refresh": tokens.begin(editor).refresh}),
    ):
        answer = Client().post(f"/api/token/{path}", body, content_type="application/json")
        assert (answer.status_code, "set one up" in answer.json()["detail"]) == (401, True)


def test_others_are_not_asked_and_superusers_are(editor, demanding):
    assert browser(account("viewer", "viewer")).get(HOME).status_code == 200
    assert administrator().get(HOME)["Location"] == PAGE


def test_a_demand_is_recorded_and_can_be_lifted(editor, demanding):
    service.set_up(User.objects.get(username="administrator"), "A" * 32, App("A" * 32).code())
    page = administrator().get(reverse("admin:auth_group_change", args=[demanding.pk])).content.decode()
    assert re.search(r'name="second_factor"[^>]*checked', page)
    assert group_page(demanding).status_code == 302
    assert browser(editor).get(HOME).status_code == 200
    entries = Entry.objects.filter(action="group.changed").order_by("pk")
    assert [entry.details.get("second_factor") for entry in entries] == [True, False]


def test_whoever_may_only_see_a_group_sees_the_demand(editor, demanding):
    viewer = account("guest", permissions=("auth.view_group",))
    page = browser(viewer).get(reverse("admin:auth_group_change", args=[demanding.pk]))
    assert "Second factor" in page.content.decode()


# --- a new secret key ------------------------------------------------------------------------------------------------
def test_reseal_makes_the_old_key_dispensable(settings):
    user, app, _ = equipped()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the-new-key-" + "0123456789" * 4, [settings.SECRET_KEY]
    call_command("reseal", stdout=StringIO())
    settings.SECRET_KEY_FALLBACKS = []
    assert service.use(user, app.code())
    settings.SECRET_KEY = "another-key-" + "0123456789" * 4
    with pytest.raises(CommandError, match=f"account {user.pk} was sealed with another SECRET_KEY"):
        call_command("reseal")
