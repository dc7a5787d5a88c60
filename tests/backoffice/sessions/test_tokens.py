"""Refresh tokens work once; whoever uses one again ends the session. Sign-out; keys that are replaced; other nodes."""

from datetime import timedelta
from uuid import uuid4

import jwt
import pytest
from django.core.signing import TimestampSigner
from django.test import Client
from django.utils import timezone

from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.models import Entry
from backoffice.kit.sessions import service, tokens
from backoffice.kit.sessions.models import Session
from tests.backoffice.at_once import at_once
from tests.content.api_client import make_user

pytestmark = [pytest.mark.law, pytest.mark.django_db]

PASSWORD = "correct-horse-battery"
POSTS = "/api/news/posts/"
TOKEN = "/api/token/"


@pytest.fixture
def editor():
    return make_user(password=PASSWORD)


def post(path, data, **headers):
    return Client().post(f"{TOKEN}{path}", data, content_type="application/json", headers=headers)


def sign_in():
    return post("", {"username": "editor", "password": PASSWORD}).json()


def renew(refresh, key=None):
    return post("refresh/", {"refresh": refresh}, **({"Idempotency-Key": key} if key else {}))


def status(access):
    return Client().get(POSTS, headers={"Authorization": f"Bearer {access}"}).status_code


def verify(token):
    return post("verify/", {"token": token}).status_code


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


# --- rotation ---------------------------------------------------------------------------------------------------------
def test_each_refresh_token_gives_the_next_and_the_session_goes_on(editor):
    given = [sign_in()]
    for _ in range(3):
        given.append(renew(given[-1]["refresh"]).json())
    assert [claims_of(pair["refresh"])["generation"] for pair in given] == [0, 1, 2, 3]
    assert {status(pair["access"]) for pair in given} == {200}
    assert [verify(pair["refresh"]) for pair in given] == [401, 401, 401, 200]
    assert Session.objects.count() == 1


def test_renewing_does_not_prolong_a_session(editor, settings):
    first = sign_in()
    ends = claims_of(first["refresh"])["exp"]
    settings.REFRESH_TOKEN_SECONDS = settings.ACCESS_TOKEN_SECONDS = 10 * 24 * 3600
    pair = renew(first["refresh"]).json()
    assert {claims_of(token)["exp"] for token in pair.values()} == {ends}


def test_a_refresh_token_that_is_used_twice_ends_its_session_and_no_other(editor):
    stolen, other = sign_in(), sign_in()
    own = renew(stolen["refresh"]).json()
    again = renew(stolen["refresh"])
    assert again.status_code == 401
    assert "was used before" in again.json()["detail"]
    assert {status(stolen["access"]), status(own["access"])} == {401}
    assert renew(own["refresh"]).status_code == 401
    assert status(renew(other["refresh"]).json()["access"]) == 200
    entry = Entry.objects.get(action=Action.TOKEN_REUSED)
    assert (entry.subject_type, entry.subject_name, entry.actor_name) == ("accounts.User", "editor", "")
    assert entry.address == "127.0.0.1"


def test_the_thief_who_is_first_is_put_out_by_the_owner(editor):
    pair = sign_in()
    thief = renew(pair["refresh"], key=str(uuid4())).json()
    assert renew(pair["refresh"], key=str(uuid4())).status_code == 401
    assert status(thief["access"]) == 401


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_renews_and_the_session_ends(editor):
    refresh = sign_in()["refresh"]
    assert sorted(at_once(2, lambda _: renew(refresh).status_code)) == [200, 401]
    assert not Session.objects.exists()
    assert Entry.objects.filter(action=Action.TOKEN_REUSED).count() == 1


# --- a lost answer ----------------------------------------------------------------------------------------------------
def test_a_request_whose_answer_was_lost_is_answered_again_under_its_key(editor):
    refresh, key = sign_in()["refresh"], str(uuid4())
    lost, pair = (renew(refresh, key).json() for _ in range(2))
    assert claims_of(lost["refresh"])["generation"] == claims_of(pair["refresh"])["generation"] == 1
    assert key not in str(Session.objects.values())
    assert status(renew(pair["refresh"], str(uuid4())).json()["access"]) == 200
    assert renew(refresh, key).status_code == 401  # its answer arrived: that was used


def test_a_repeated_request_has_a_minute(editor):
    refresh, key = sign_in()["refresh"], str(uuid4())
    renew(refresh, key)
    Session.objects.update(last_seen_at=timezone.now() - tokens.REPEATABLE)
    assert renew(refresh, key).status_code == 401
    assert not Session.objects.exists()


def test_a_key_that_can_not_be_one_is_refused_and_the_token_is_not_used(editor):
    refresh = sign_in()["refresh"]
    assert renew(refresh, "x" * 256).status_code == 400
    assert renew(refresh).status_code == 200


# --- sign-out ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_signing_out_ends_all_tokens_of_the_session_at_once(editor, kind):
    first, other = sign_in(), sign_in()
    pair = renew(first["refresh"]).json()
    done = post("revoke/", {"token": pair[kind]})
    assert (done.status_code, done.json()) == (200, {})
    assert {status(first["access"]), status(pair["access"]), verify(pair["refresh"])} == {401}
    assert renew(pair["refresh"]).status_code == 401
    assert status(other["access"]) == 200
    entry = Entry.objects.get(action=Action.SIGNED_OUT)
    assert (entry.actor_name, entry.details) == ("editor", {"way": "token"})


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
def test_what_is_no_token_needs_no_end(editor, token):
    pair = sign_in()
    assert post("revoke/", {"token": token}).status_code == 200
    assert status(pair["access"]) == 200


# --- who --------------------------------------------------------------------------------------------------------------
def test_a_token_may_do_what_its_account_may_now(editor):
    access = sign_in()["access"]
    assert status(access) == 200
    editor.user_permissions.clear()
    assert status(access) == 403


def test_a_deactivated_account_stays_signed_out_when_it_is_active_again(editor):
    pair = sign_in()
    for editor.is_active in (False, True):
        editor.save(update_fields=["is_active"])
    assert (status(pair["access"]), renew(pair["refresh"]).status_code) == (401, 401)


def test_a_password_that_was_changed_past_the_program_ends_tokens_too(editor):
    pair = sign_in()
    type(editor).objects.update(password="!")
    assert (status(pair["access"]), renew(pair["refresh"]).status_code) == (401, 401)


# --- keys and nodes ---------------------------------------------------------------------------------------------------
def test_tokens_outlive_a_new_secret_key_while_the_old_one_is_a_fallback(editor, settings):
    pair, old = sign_in(), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 60, [old]
    assert status(pair["access"]) == 200
    renewed = renew(pair["refresh"]).json()
    settings.SECRET_KEY_FALLBACKS = []
    assert (status(pair["access"]), status(renewed["access"])) == (401, 200)


def test_a_token_of_another_node_is_refused_even_with_the_same_key_and_session(editor, settings):
    pair = sign_in()
    settings.NODE = "another"
    assert (status(pair["access"]), renew(pair["refresh"]).status_code) == (401, 401)


def test_what_is_signed_for_something_else_is_no_token(editor, settings):
    signed = TimestampSigner().sign_object({**claims_of(sign_in()["access"])})
    assert status(signed) == 401


# --- pruning ----------------------------------------------------------------------------------------------------------
def test_sessions_that_have_expired_are_pruned(editor):
    ended, going_on = sign_in(), sign_in()
    old = Session.objects.filter(family=claims_of(ended["access"])["sid"])
    old.update(expire_date=timezone.now())
    assert service.prune() == 0  # at most once a minute
    old.update(expire_date=timezone.now() - timedelta(minutes=2))
    assert (service.prune(), service.prune()) == (1, 0)
    assert (status(ended["access"]), status(going_on["access"])) == (401, 200)
