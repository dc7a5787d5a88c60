"""A browser's session: kept as a digest, seen to a few minutes, ended by a new password through every entry point."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.kit.sessions import tokens
from backoffice.kit.sessions.agents import name_of
from backoffice.kit.sessions.models import Session
from backoffice.kit.sessions.service import SEEN_EVERY
from backoffice.kit.sessions.store import SessionStore
from tests.backoffice.test_api_keys import everything_stored
from tests.content.api_client import ApiClient
from tests.content.pages import administrator, browser, form_of, person

pytestmark = [pytest.mark.law, pytest.mark.django_db]

PASSWORD, OTHER = "correct-horse-battery", "another-horse-battery"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
HOME = "/admin/password_change/"


@pytest.fixture
def editor():
    return person("editor", "news.change_post", password=PASSWORD)


def sign_in(**client):
    one = Client(**client)
    assert one.post("/admin/login/", {"username": "editor", "password": PASSWORD}).status_code == 302
    return one


def cookie_of(client):
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def is_in(client):
    return client.get(HOME).status_code == 200


# --- what is stored ---------------------------------------------------------------------------------------------------
def test_what_the_database_holds_of_a_session_signs_nobody_in(editor):
    client = sign_in()
    cookie = cookie_of(client)
    assert not any(cookie in row for row in everything_stored())
    [digest] = Session.objects.values_list("session_key", flat=True)
    client.cookies[settings.SESSION_COOKIE_NAME] = digest
    assert not is_in(client)
    client.cookies[settings.SESSION_COOKIE_NAME] = cookie
    assert is_in(client)


def test_no_program_s_token_is_a_cookie(editor):
    access, _ = tokens.begin(editor)
    client = Client()
    for text in (access, str(Session.objects.get().family), "None", ""):
        client.cookies[settings.SESSION_COOKIE_NAME] = text
        assert not is_in(client)


@pytest.mark.parametrize("cookie", ["x\0y", "é" * 40, "x" * 5000, "'; --"], ids=ascii)
def test_a_cookie_of_any_text_is_nobody_s(cookie):
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = cookie
    assert client.get(HOME).status_code == 302


def test_a_session_says_since_when_from_where_and_with_what(editor):
    sign_in(headers={"User-Agent": FIREFOX}, REMOTE_ADDR="192.0.2.7")
    session = Session.objects.get()
    assert (session.user, session.address, session.agent) == (editor, "192.0.2.7", FIREFOX)
    assert timezone.now() - session.created_at < timedelta(minutes=1)
    assert session.last_seen_at is not None


@pytest.mark.parametrize("agent", ["", "x\0y", "ü" * 9999], ids=["none", "NUL", "long"])
def test_a_browser_may_call_itself_anything(editor, agent):
    assert is_in(sign_in(headers={"User-Agent": agent}))


def test_not_each_page_writes(editor):
    client = sign_in()

    def writes():
        with CaptureQueriesContext(connection) as found:
            assert client.get(HOME, REMOTE_ADDR="192.0.2.8").status_code == 200
        return [one["sql"] for one in found.captured_queries if one["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]

    assert writes() == []
    Session.objects.update(last_seen_at=timezone.now() - SEEN_EVERY)
    assert len(writes()) == 1
    assert (writes(), Session.objects.get().address) == ([], "192.0.2.8")


CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36", "Chrome on Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/142.0.0.0", "Edge on Windows"),
        (f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Safari/604.1", "Safari on iPhone"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("python-requests/2.32 (nightly)", "python-requests/2.32"),
        ("", "unknown"),
    ],
)
def test_browsers_have_names_that_people_know(agent, name):
    assert name_of(agent) == name


# --- ends -------------------------------------------------------------------------------------------------------------
def test_an_ended_session_does_not_come_back(editor):
    client = sign_in()
    session = SessionStore(cookie_of(client))
    session["open"] = "in a request that goes on"
    Session.objects.all().delete()
    with pytest.raises(UpdateError):
        session.save()
    assert not Session.objects.exists()
    assert not is_in(client)


def test_a_request_that_signs_nobody_in_is_not_told_as_seen(editor):
    client = sign_in()
    User.objects.update(password="!")
    Session.objects.update(last_seen_at=None)
    assert not is_in(client)
    assert not Session.objects.exists()


def own_page(editor):
    form = {"old_password": PASSWORD, "new_password1": OTHER, "new_password2": OTHER}
    client = sign_in()
    assert client.post(reverse("admin:password_change"), form).status_code == 302
    return client


def administrators_page(editor, **passwords):
    form = passwords or {"usable_password": "true", "password1": OTHER, "password2": OTHER}
    address = reverse("admin:auth_user_password_change", args=[editor.pk])
    assert administrator().post(address, form).status_code == 302


def no_password(editor):
    administrators_page(editor, usable_password="false", **{"unset-password": "on"})


def own_api(editor):
    answer = ApiClient(editor).send("POST", "/api/accounts/me/password/", {"old": PASSWORD, "new": OTHER})
    assert answer.status_code == 200


def reset_command(editor):
    call_command("ensure_admin", name="editor", reset=True)


def client_command(editor):
    call_command("ensure_client", "editor", password_env="CLIENT_PASSWORD")


def django_command(editor):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("getpass.getpass", lambda prompt: OTHER)
        call_command("changepassword", "editor")


def deactivated(editor):
    client, address = administrator(), reverse("admin:accounts_user_change", args=[editor.pk])
    form = form_of(client.get(address), "user_form")
    form.pop("is_active")
    assert client.post(address, form).status_code == 302


def sql(editor):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET password = '!' WHERE id = %s", [editor.pk])


COMMANDS = [reset_command, client_command, django_command]
ENTRY_POINTS = [own_page, administrators_page, no_password, own_api, *COMMANDS, deactivated, sql]


@pytest.mark.parametrize("change", ENTRY_POINTS)
def test_a_new_password_or_none_ends_sessions_and_tokens_and_stays_signed_in_where_it_was_typed(
    editor, change, monkeypatch
):
    for name in ("BACKOFFICE_ADMIN_PASSWORD", "CLIENT_PASSWORD"):
        monkeypatch.setenv(name, OTHER)
    client, (access, refresh), bystander = sign_in(), tokens.begin(editor), browser(person("bystander"))
    here = change(editor)
    editor.refresh_from_db()
    assert Session.objects.open_of(editor).count() == (1 if here else 0)
    assert Session.objects.filter(user=editor).count() == (2 if change is sql else 1 if here else 0)
    assert not is_in(client)
    assert Client().get("/api/news/posts/", headers={"Authorization": f"Bearer {access}"}).status_code == 401
    renewed = Client().post("/api/token/refresh/", {"refresh": refresh}, content_type="application/json")
    assert renewed.status_code == 401
    assert here is None or is_in(here)
    assert is_in(bystander)
