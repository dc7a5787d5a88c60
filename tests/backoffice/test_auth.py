"""Signing in at the API: tokens, Basic, the admin's session."""

import base64
from uuid import UUID

import jwt
import pytest
from django.conf import settings
from django.test import Client

from backoffice.kit.sessions import tokens
from content.news.models import Post
from tests.content.api_client import ApiClient, errors, make_user

pytestmark = pytest.mark.django_db

POSTS = "/api/news/posts/"
TOKEN = "/api/token/"
PASSWORD = "correct-horse-battery"
NEW_POST = {"title": "T", "body": "B"}


@pytest.fixture
def editor():
    return make_user(password=PASSWORD)


def post_json(path, data, client=None, **headers):
    return (client or Client()).post(path, data, content_type="application/json", headers=headers)


def get_with(authorization):
    return Client().get(POSTS, headers={"Authorization": authorization})


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


def assert_refused(answer):
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer realm=")
    assert "Basic realm=" in answer["WWW-Authenticate"]
    errors(answer)


# --- tokens -----------------------------------------------------------------------------------------------------------
def test_a_name_and_password_give_tokens_that_work(editor):
    answer = post_json(TOKEN, {"username": "editor", "password": PASSWORD})
    assert answer.status_code == 200
    assert sorted(answer.json()) == ["access", "refresh"]
    assert get_with(f"Bearer {answer.json()['access']}").status_code == 200
    assert get_with(f"bearer {answer.json()['access']}").status_code == 200
    fresh = post_json(f"{TOKEN}refresh/", {"refresh": answer.json()["refresh"]})
    assert sorted(fresh.json()) == ["access", "refresh"]
    assert get_with(f"Bearer {fresh.json()['access']}").status_code == 200


@pytest.mark.parametrize(
    ("username", "password"),
    [("editor", "wrong"), ("nobody", PASSWORD), ("editor", ""), ("", PASSWORD)],
)
def test_a_wrong_name_or_password_gets_no_token(editor, username, password):
    assert_refused(post_json(TOKEN, {"username": username, "password": password}))


def test_an_inactive_user_gets_no_token_and_keeps_none(editor):
    access, refresh = tokens.begin(editor)
    editor.is_active = False
    editor.save()
    assert_refused(post_json(TOKEN, {"username": "editor", "password": PASSWORD}))
    assert_refused(post_json(f"{TOKEN}refresh/", {"refresh": refresh}))
    assert_refused(post_json(f"{TOKEN}verify/", {"token": access}))
    assert_refused(get_with(f"Bearer {access}"))


def test_a_new_password_ends_the_tokens_of_the_old_one(editor):
    access, refresh = tokens.begin(editor)
    editor.set_password("another-horse-battery")
    editor.save()
    assert_refused(get_with(f"Bearer {access}"))
    assert_refused(post_json(f"{TOKEN}refresh/", {"refresh": refresh}))


def test_verify_knows_both_kinds_and_says_nothing_more(editor):
    for token in tokens.begin(editor):
        answer = post_json(f"{TOKEN}verify", {"token": token})
        assert (answer.status_code, answer.json()) == (200, {})


def test_each_kind_of_token_is_good_for_its_own_use_only(editor):
    access, refresh = tokens.begin(editor)
    assert_refused(get_with(f"Bearer {refresh}"))
    assert_refused(post_json(f"{TOKEN}refresh/", {"refresh": access}))


def claims_of(token):
    return jwt.decode(token, settings.SECRET_KEY, algorithms=["HS256"], audience=settings.NODE)


def test_a_token_holds_what_it_needs_and_lives_as_long_as_the_settings_say(editor, settings):
    settings.ACCESS_TOKEN_SECONDS, settings.REFRESH_TOKEN_SECONDS = 60, 120
    names = ["aud", "exp", "iat", "jti", "password", "sid", "token_type", "user_id"]
    access, refresh = map(claims_of, tokens.begin(editor))
    assert (sorted(access), sorted(refresh)) == (names, sorted([*names, "generation"]))
    assert (access["exp"] - access["iat"], refresh["exp"] - refresh["iat"]) == (60, 120)
    assert editor.password not in f"{access} {refresh}"


def forged(user, key=settings.SECRET_KEY, algorithm="HS256", without=(), ago=0, **changes):
    claims = claims_of(tokens.begin(user).access) | changes
    shifted = {name: claims[name] - ago for name in ("iat", "exp") if name not in changes}
    claims = {name: value for name, value in (claims | shifted).items() if name not in without}
    return jwt.encode(claims, key, algorithm=algorithm)


@pytest.mark.parametrize(
    "change",
    [
        {"key": "x" * 50},
        {"key": None, "algorithm": "none"},
        {"algorithm": "HS384"},
        {"exp": 1},
        *({"without": [name]} for name in tokens.CLAIMS),
        {"password": "0" * 16},
        {"sid": str(UUID(int=0))},
        {"aud": "warehouse"},
        {"aud": ["warehouse", "store"]},
        {"token_type": "refresh"},
        {"token_type": ["access"]},
        {"ago": settings.ACCESS_TOKEN_SECONDS + tokens.LEEWAY + 1},
        {"ago": -tokens.LEEWAY - 9},
        {"nbf": 2**32},
    ],
    ids=str,
)
def test_a_token_that_was_tampered_with_is_refused(editor, change):
    assert_refused(get_with(f"Bearer {forged(editor, **change)}"))


def test_the_forgery_of_these_tests_is_good_when_nothing_is_changed(editor):
    assert get_with(f"Bearer {forged(editor)}").status_code == 200


@pytest.mark.parametrize("ago", [-tokens.LEEWAY + 3, settings.ACCESS_TOKEN_SECONDS + tokens.LEEWAY - 3])
def test_clocks_may_differ_by_a_few_seconds(editor, ago):
    assert get_with(f"Bearer {forged(editor, ago=ago)}").status_code == 200


# --- headers ----------------------------------------------------------------------------------------------------------
def test_basic_signs_in_and_history_knows_who(editor):
    answer = post_json(POSTS, NEW_POST, Authorization=basic(f"editor:{PASSWORD}"))
    assert answer.status_code == 201
    assert Post.history.get().history_user == editor


@pytest.mark.parametrize(
    "header",
    [
        "", "Bearer", "Bearer x", "Bearer a.b.c", "Basic", "Basic x", "Basic ÿÿ", "Digest x",
        basic("editor"), basic("editor:wrong"), basic("nobody:x"), basic("edi\0tor:x"), basic("editor:\0"),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
    ],
    ids=ascii,
)  # fmt: skip
def test_a_header_that_signs_nobody_in_is_refused(editor, header):
    assert_refused(get_with(header))


def test_without_any_sign_in_every_method_is_refused():
    for method in ("GET", "POST"):
        assert_refused(Client(enforce_csrf_checks=True).generic(method, POSTS, "{}", content_type="application/json"))
    assert_refused(Client().delete(f"{POSTS}1/"))


# --- the session ------------------------------------------------------------------------------------------------------
@pytest.fixture
def browser(editor):
    client = Client(enforce_csrf_checks=True)
    client.force_login(editor)
    return client


def test_the_session_reads_without_and_writes_only_with_the_csrf_token(browser, editor):
    assert browser.get(POSTS).status_code == 200
    refused = post_json(POSTS, NEW_POST, browser)
    assert refused.status_code == 403
    errors(refused)
    assert not Post.objects.exists()

    browser.get("/api/docs")  # sets the cookie
    token = browser.cookies[settings.CSRF_COOKIE_NAME].value
    assert post_json(POSTS, NEW_POST, browser, **{"X-CSRFToken": token}).status_code == 201
    assert post_json(POSTS, NEW_POST, browser, **{"X-CSRFToken": "x" * 32}).status_code == 403
    assert Post.history.get().history_user == editor


def test_a_bad_header_is_not_saved_by_a_good_session(browser):
    assert_refused(browser.get(POSTS, headers={"Authorization": "Bearer x"}))


def test_a_token_needs_no_csrf_token_and_counts_before_the_session(browser):
    chief = make_user("chief")
    token = f"Bearer {tokens.begin(chief).access}"
    assert post_json(POSTS, NEW_POST, browser, Authorization=token).status_code == 201
    assert Post.history.get().history_user == chief


def test_a_signed_in_program_leaves_no_session(editor):
    assert not ApiClient(editor).get(POSTS).cookies
