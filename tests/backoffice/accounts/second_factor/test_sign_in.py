"""Nobody who has a second factor signs in with the password alone, at any entry point."""

import base64
from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.models import ApiKey
from backoffice.accounts.second_factor import codes, service
from backoffice.accounts.second_factor.models import SecondFactor
from backoffice.kit.audit.models import Entry
from backoffice.kit.sessions import tokens
from backoffice.kit.sign_in.models import Failures, KnownAddress
from tests.backoffice.accounts.people import account
from tests.backoffice.accounts.second_factor.app import PASSWORD, App, equipped, wrong
from tests.content.api_client import ApiClient
from tests.content.pages import browser

pytestmark = pytest.mark.django_db
LOGIN, CODE, HOME = "/admin/login/", "/admin/login/code/", "/admin/"
POSTS = "/api/news/posts/"
TOLERANCE = codes.TOLERANCE


def with_password(client: Client, password: str = PASSWORD, query: str = ""):
    return client.post(LOGIN + query, {"username": "editor", "password": password})


def token(code: str | None = None, **client):
    data = {"username": "editor", "password": PASSWORD} | ({} if code is None else {"code": code})
    return Client(**client).post("/api/token/", data, content_type="application/json")


def basic():
    credential = base64.b64encode(f"editor:{PASSWORD}".encode()).decode()
    return Client().get(POSTS, headers={"Authorization": f"Basic {credential}"})


def is_signed_in(client: Client) -> bool:
    return client.get(HOME).status_code == 200


def actions() -> list[str]:
    return [*Entry.objects.order_by("pk").values_list("action", flat=True)]


# --- the pages ------------------------------------------------------------------------------------------------------
def test_the_pages_ask_for_the_code_after_the_password():
    _, app, _ = equipped()
    client = Client()
    answer = with_password(client, query="?next=/admin/news/post/")
    assert unquote(answer["Location"]) == f"{CODE}?next=/admin/news/post/"
    assert not is_signed_in(client)
    assert client.get(CODE).status_code == 200
    answer = client.post(answer["Location"], {"code": app.code()})
    assert answer["Location"] == "/admin/news/post/"
    assert is_signed_in(client)


def test_a_wrong_password_is_not_asked_for_a_code():
    equipped()
    client = Client()
    assert with_password(client, "wrong-horse").status_code == 200
    assert client.get(CODE)["Location"] == LOGIN


def test_the_code_alone_signs_nobody_in():
    _, app, _ = equipped()
    assert Client().post(CODE, {"code": app.code()})["Location"] == LOGIN


def test_a_code_leads_to_no_other_site():
    _, app, _ = equipped()
    client = Client()
    with_password(client)
    assert client.post(f"{CODE}?next=https://elsewhere.example/", {"code": app.code()})["Location"] == HOME


def test_people_may_type_a_code_in_groups():
    _, app, _ = equipped()
    client = Client()
    with_password(client)
    code = app.code()
    client.post(CODE, {"code": f" {code[:3]} {code[3:]} "})
    assert is_signed_in(client)


@pytest.mark.parametrize("change", ["password", "time", "inactive"])
def test_the_password_is_remembered_for_ten_minutes_and_for_as_long_as_it_is_right(change):
    user, app, _ = equipped()
    client = Client()
    with_password(client)
    if change == "password":
        user.set_password("another-horse-battery")
        user.save()
    elif change == "inactive":
        type(user).objects.update(is_active=False)
    else:
        session = client.session
        session["sign_in_awaits_code"] |= {"until": session["sign_in_awaits_code"]["until"] - 10 * 60}
        session.save()
    assert client.post(CODE, {"code": app.code()})["Location"] == LOGIN
    assert not is_signed_in(client)


# --- codes ----------------------------------------------------------------------------------------------------------
def test_a_code_of_the_app_works_once():
    _, app, _ = equipped()
    code = app.code()
    assert [token(code).status_code, token(code).status_code] == [200, 401]


def test_the_code_that_set_it_up_was_used_and_older_ones_too():
    user, app, _ = equipped()
    SecondFactor.objects.update(last_step=F("last_step") + 5)
    assert not service.use(user, app.code())


@pytest.mark.parametrize(("steps", "works"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_the_clock_of_the_app_may_be_half_a_minute_wrong(steps, works, monkeypatch):
    user, app, _ = equipped()
    monkeypatch.setattr(codes, "TOLERANCE", TOLERANCE)
    now = 1_900_000_000
    SecondFactor.objects.update(last_step=0)
    monkeypatch.setattr("time.time", lambda: now)
    assert service.use(user, app.totp.at(now + 30 * steps)) == works


def test_a_recovery_code_works_once_for_its_own_account():
    user, _, recovery = equipped()
    other, _, _ = equipped("chief")
    assert not service.use(other, recovery[0])
    assert token(recovery[0].upper().replace("-", " ")).status_code == 200
    assert token(recovery[0]).status_code == 401
    assert token(recovery[1]).status_code == 200
    used = Entry.objects.filter(action="second_factor.recovery", actor_id=user.pk).order_by("pk")
    assert [entry.details["left"] for entry in used] == [9, 8]


def test_codes_of_a_factor_that_another_key_sealed_fail_and_recovery_codes_work(settings, caplog):
    user, app, recovery = equipped()
    settings.SECRET_KEY = "the-new-key-" + "0123456789" * 4
    assert not service.use(user, app.code())
    assert "add that to SECRET_KEY_FALLBACKS" in caplog.text
    assert service.use(user, recovery[0])


# --- the API --------------------------------------------------------------------------------------------------------
def test_a_token_needs_the_code():
    _, app, _ = equipped()
    assert token().status_code == 401
    assert token(wrong(app.code())).status_code == 401
    assert token(app.code()).status_code == 200


def test_the_api_says_what_the_password_lacks():
    equipped()
    for answer in (token(), basic()):
        assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
        assert "send its code as `code` to POST /api/token/, or use an API key" in answer.json()["detail"]


def test_api_keys_go_on():
    user, _, _ = equipped()
    key = ApiKey(user=user, name="program", full_access=True, expires=timezone.now() + timedelta(days=1))
    secret = key.seal()
    key.save()
    assert Client().get(POSTS, headers={"Authorization": f"Bearer {secret}"}).status_code == 200


def test_whoever_is_signed_in_confirms_a_change_by_the_password_alone():
    user, _, _ = equipped()
    body = {"old": PASSWORD, "new": "another-horse-battery"}
    assert ApiClient(user).send("POST", "/api/accounts/me/password/", body).status_code == 200


# --- waits and the audit trail --------------------------------------------------------------------------------------
def on_page(client, code):
    return client.post(CODE, {"code": code})


def test_wrong_codes_are_slowed_down_like_wrong_passwords(long_waits):
    _, app, _ = equipped()
    client = Client()
    with_password(client)
    right = app.code()
    assert [on_page(client, wrong(right)).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert on_page(client, right).status_code == 429
    assert token(right).status_code == 429
    assert not KnownAddress.objects.exists()  # the password alone made nobody known
    Failures.objects.update(last_at=F("last_at") - timedelta(minutes=1))
    assert on_page(client, right).status_code == 302
    assert not Failures.objects.filter(key__startswith="account").exists()


def test_the_right_password_clears_no_failures_before_the_code(long_waits):
    _, app, _ = equipped()
    for _ in range(3):
        client = Client()
        assert with_password(client).status_code == 302
        assert on_page(client, wrong(app.code())).status_code == 200
    assert with_password(Client()).status_code == 429


def test_the_trail_tells_passwords_without_a_code_from_failures():
    _, app, _ = equipped()
    before = len(actions())
    client = Client()
    with_password(client)
    assert actions()[before:] == []
    on_page(client, "000000" if app.code() != "000000" else "000001")
    on_page(client, app.code())
    assert actions()[before:] == ["sign_in.failed", "sign_in.succeeded"]


# --- what was there before ------------------------------------------------------------------------------------------
def test_sessions_and_tokens_from_before_the_set_up_end_by_it():
    user = account("editor", "editor", password=PASSWORD)
    client, program, refresh = browser(user), ApiClient(user), tokens.begin(user).refresh
    secret = codes.new_secret()
    assert service.set_up(user, secret, App(secret).code())
    assert not is_signed_in(client)
    assert program.get(POSTS).status_code == 401
    answer = Client().post("/api/token/refresh/", {"refresh": refresh}, content_type="application/json")
    assert answer.status_code == 401


def test_nobody_without_a_second_factor_is_asked():
    account("editor", "editor", password=PASSWORD)
    client = Client()
    assert with_password(client)["Location"] == reverse("admin:index")
    assert (token().status_code, basic().status_code) == (200, 200)
