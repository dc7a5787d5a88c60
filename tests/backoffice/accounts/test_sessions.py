"""A person's sessions and keys: their page, the same at the API, and who ends those of others."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts import sessions_admin
from backoffice.accounts.models import ApiKey, User
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.models import Entry
from backoffice.kit.sessions import tokens
from backoffice.kit.sessions.models import Session
from tests.backoffice.accounts.people import account
from tests.backoffice.test_api_keys import client_with, make_key
from tests.content.api_client import ApiClient, errors, make_user
from tests.languages import LANGUAGES, left_in_english

pytestmark = [pytest.mark.law, pytest.mark.django_db]

MINE = "/admin/accounts/user/sessions/"
SESSIONS = "/api/accounts/sessions/"
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"}


def page_of(user):
    return reverse("admin:accounts_user_sessions_of", args=[user.pk])


def seen(user, **client):
    """A browser of the user that was seen once."""
    one = Client(**client)
    one.force_login(user)
    Session.objects.update(last_seen_at=None)
    one.get(MINE)
    return one


def is_in(client):
    return client.get(MINE).status_code == 200


def numbers(answer):
    """The sessions that the page has a button for."""
    return {int(found) for found in re.findall(r'name="end" value="(\d+)"', answer.content.decode())}


def bearer(access):
    return Client(headers={"Authorization": f"Bearer {access}"})


# --- one's own page ---------------------------------------------------------------------------------------------------
def test_the_page_shows_where_somebody_is_signed_in_and_which_keys_work():
    user = account("editor")
    here, program = seen(user, headers=FIREFOX, REMOTE_ADDR="192.0.2.7"), tokens.begin(user)
    make_key(user, name="Nightly")
    make_key(account("other"), name="Of somebody else")
    answer = here.get(MINE)
    page = answer.content.decode()
    assert all(text in page for text in ("Firefox on Linux", "192.0.2.7", "this one", "Nightly"))
    assert "Of somebody else" not in page
    assert not any(token in page for token in program)
    assert numbers(answer) == {Session.objects.exclude(family=None).get().pk}
    assert reverse("admin:second_factor") in page
    assert MINE in here.get("/admin/").content.decode()  # in the menu of the name


def test_one_session_is_ended_and_the_others_go_on():
    user = account("editor")
    here, lost, other = (seen(user) for _ in range(3))
    assert here.post(MINE, {"end": str(Session.objects.order_by("pk")[1].pk)}).status_code == 302
    assert [is_in(client) for client in (here, lost, other)] == [True, False, True]
    entry = Entry.objects.get(action=Action.SESSIONS_ENDED)
    assert (entry.actor_name, entry.subject_name, entry.details) == ("editor", "editor", {"number": 1})


def test_all_others_are_ended_at_once():
    user, stranger = account("editor"), seen(account("stranger"))
    here, lost, (access, _), key = seen(user), seen(user), tokens.begin(user), make_key(user)[1]
    assert here.post(MINE, {"end": "all"}).status_code == 302
    assert [is_in(client) for client in (here, lost, stranger)] == [True, False, True]
    assert bearer(access).get("/api/accounts/me/").status_code == 401
    assert client_with(key).get("/api/accounts/me/").status_code == 200


@pytest.mark.parametrize("chosen", ["", "0", "x", "-1", "²", "9" * 30, "all\0"])
def test_what_is_not_on_the_page_ends_nothing(chosen):
    user = account("editor")
    here, other = seen(user), seen(user)
    assert here.post(MINE, {"end": chosen}).status_code == 302
    assert is_in(other)
    assert not Entry.objects.filter(action=Action.SESSIONS_ENDED).exists()


def test_the_session_of_somebody_else_is_not_ended():
    other = seen(account("other"))
    for user in (account("editor"), User.objects.create_superuser("chief")):
        seen(user).post(MINE, {"end": str(Session.objects.get(user__username="other").pk)})
    assert is_in(other)


def test_a_key_is_revoked_from_the_page():
    user = account("editor")
    key, whole = make_key(user)
    revoked = seen(user).post(reverse("admin:accounts_apikey_revoke", args=[key.pk]), {"sessions": "yes"})
    assert (revoked.status_code, revoked["Location"]) == (302, MINE)
    assert client_with(whole).get("/api/accounts/me/").status_code == 401


def test_what_does_not_sign_in_any_more_is_not_on_the_page():
    user = account("editor")
    here = seen(user)
    for values in ({"expire_date": timezone.now()}, {"password_mark": "0" * 16}):
        tokens.begin(user)
        Session.objects.filter(pk=Session.objects.latest("pk").pk).update(**values)
    assert numbers(here.get(MINE)) == set()


def test_of_many_sessions_the_newest_are_shown_and_the_others_counted(monkeypatch):
    monkeypatch.setattr(sessions_admin, "SHOWN", 2)
    user = account("editor")
    here, pairs = seen(user), [tokens.begin(user) for _ in range(5)]
    page = here.get(MINE)
    newest = [*Session.objects.exclude(family=None).values_list("pk", flat=True)[:2]]
    assert numbers(page) == {*newest}
    assert "3 more" in page.content.decode()
    here.post(MINE, {"end": "all"})
    assert {bearer(pair.access).get("/api/accounts/me/").status_code for pair in pairs} == {401}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_of_the_page_is_left_in_english(language, monkeypatch):
    monkeypatch.setattr(sessions_admin, "SHOWN", 1)
    user = account("person")
    for _ in range(3):
        tokens.begin(user)
    make_key(user)
    assert left_in_english([MINE, page_of(user)], language) == {}


# --- those of others --------------------------------------------------------------------------------------------------
def test_an_administrator_ends_the_sessions_of_a_person():
    user, chief = account("editor", "editor"), account("chief", "administrator")
    lost, (access, _), desk = seen(user), tokens.begin(user), seen(chief)
    assert page_of(user) in desk.get(reverse("admin:accounts_user_change", args=[user.pk])).content.decode()
    assert len(numbers(desk.get(page_of(user)))) == 2
    assert desk.post(page_of(user), {"end": "all"}).status_code == 302
    assert [is_in(client) for client in (lost, desk)] == [False, True]
    assert bearer(access).get("/api/accounts/me/").status_code == 401
    entry = Entry.objects.get(action=Action.SESSIONS_ENDED)
    assert (entry.actor_name, entry.subject_name, entry.details) == ("chief", "editor", {"number": 2})


@pytest.mark.parametrize(
    ("by", "of"),
    [
        (("editor",), {"permissions": ("news.view_post",)}),
        ((), {"permissions": ()}),
        (("administrator",), {"is_superuser": True}),
    ],
    ids=["no permission", "no role", "above"],
)
def test_nobody_ends_the_sessions_of_a_person_above_them(by, of):
    user = account("person", **of)
    victim, attacker = seen(user), seen(account("attacker", *by))
    link = page_of(user)
    assert attacker.get(link).status_code == 403
    assert attacker.post(link, {"end": "all"}).status_code == 403
    assert link not in attacker.get(reverse("admin:accounts_user_change", args=[user.pk])).content.decode()
    assert is_in(victim)


@pytest.mark.parametrize("key", ["0", "x", "9" * 30])
def test_nobody_has_no_page(key):
    assert seen(account("chief", "administrator")).get(f"/admin/accounts/user/{key}/sessions/").status_code == 403


def test_keys_of_others_are_shown_to_whoever_may_see_them():
    user = account("person", permissions=("news.view_post",))
    key, _ = make_key(user, name="Nightly")
    keeper = account("keeper", permissions=("accounts.change_user", "news.view_post"))
    assert "Nightly" not in seen(keeper).get(page_of(user)).content.decode()
    page = seen(account("chief", "administrator")).get(page_of(user)).content.decode()
    assert "Nightly" in page
    assert reverse("admin:accounts_apikey_revoke", args=[key.pk]) in page


# --- the API ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def editor():
    return make_user(is_staff=True)


def test_the_api_lists_ones_own_sessions(editor):
    seen(editor, headers=FIREFOX, REMOTE_ADDR="192.0.2.7")
    tokens.begin(make_user("other"))
    answer = ApiClient(editor).get(SESSIONS)
    program, browsers = answer.json()["items"]
    assert (program["kind"], program["is_current"]) == ("program", True)
    assert {name: browsers[name] for name in ("kind", "is_current", "address", "agent")} == {
        "kind": "browser", "is_current": False, "address": "192.0.2.7", "agent": FIREFOX["User-Agent"],
    }  # fmt: skip
    assert {*browsers} - {"kind", "is_current", "address", "agent"} == {"id", "created_at", "last_seen_at", "expires"}
    assert seen(editor).get(SESSIONS).json()["items"][0]["is_current"] is True


def test_the_api_ends_one_and_all_others(editor):
    lost, other, api = seen(editor), seen(editor), ApiClient(editor)
    first = Session.objects.earliest("pk").pk
    assert api.delete(f"{SESSIONS}{first}/").status_code == 204
    assert api.delete(f"{SESSIONS}{first}/").status_code == 404
    assert [is_in(client) for client in (lost, other)] == [False, True]
    tokens.begin(editor)
    assert api.send("POST", f"{SESSIONS}end-others/", {}).json() == {"ended": 2}
    assert not is_in(other)
    assert [one["is_current"] for one in api.get(SESSIONS).json()["items"]] == [True]
    assert Entry.objects.filter(action=Action.SESSIONS_ENDED, actor_name="editor").count() == 2


def test_sessions_of_others_do_not_exist_at_the_api(editor):
    victim = seen(account("victim"))
    session = Session.objects.get()
    for user in (editor, User.objects.create_superuser("chief")):
        assert ApiClient(user).delete(f"{SESSIONS}{session.pk}/").status_code == 404
    assert is_in(victim)


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("DELETE", "1/"), ("POST", "end-others/")])
def test_a_key_sees_and_ends_no_session(editor, method, path):
    answer = client_with(make_key(editor)[1]).generic(method, f"{SESSIONS}{path}")
    assert answer.status_code == 403
    errors(answer)


def test_a_session_ends_itself(editor):
    api = ApiClient(editor)
    assert api.delete(f"{SESSIONS}{Session.objects.get().pk}/").status_code == 204
    assert api.get(SESSIONS).status_code == 401


# --- keys -------------------------------------------------------------------------------------------------------------
def test_the_key_of_a_deactivated_person_is_no_way_in(editor):
    _, whole = make_key(editor)
    editor.is_active = False
    editor.save()
    assert client_with(whole).get(SESSIONS).status_code == 401
    assert ApiKey.objects.get().expires > timezone.now() + timedelta(days=1)
