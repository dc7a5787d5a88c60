"""A new SECRET_KEY ends nothing that is under way, as long as the old one is among SECRET_KEY_FALLBACKS."""

import json

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.test import Client
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.kit.audit.models import Entry
from backoffice.kit.sessions import tokens
from tests.backoffice.accounts.people import account
from tests.content.api_client import ApiClient
from tests.content.pages import browser

pytestmark = pytest.mark.django_db
NEW = "the-new-key-" + "0123456789" * 4
PASSWORD = "correct-horse-battery"
POSTS = "/api/news/posts/"


@pytest.fixture(params=["kept", "dropped"])
def rotate(request, settings):
    """What happens when the key is replaced, and whether the old one is kept; returns the latter."""

    def act():
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if request.param == "kept" else []
        settings.SECRET_KEY = NEW
        return request.param == "kept"

    return act


def test_sessions_and_tokens(rotate):
    editor = account("editor", "editor")
    session, refresh = browser(editor), tokens.begin(editor).refresh
    program = ApiClient(editor)
    is_kept = rotate()
    assert (program.get(POSTS).status_code == 200) == is_kept
    assert (session.get(reverse("admin:index")).status_code == 200) == is_kept
    answer = Client().post("/api/token/refresh/", {"refresh": refresh}, content_type="application/json")
    assert (answer.status_code == 200) == is_kept


def test_a_password_that_is_changed_ends_tokens_of_the_old_key_too(rotate):
    editor = account("editor", "editor", password=PASSWORD)
    program = ApiClient(editor)
    rotate()
    editor.set_password("another-horse-battery")
    editor.save()
    assert program.get(POSTS).status_code == 401


def test_a_repeated_request_gets_its_first_answer(rotate):
    editor = account("editor", "editor")
    post = {"title": "One", "body": "Text"}
    headers = {"Idempotency-Key": '"once"', "Authorization": f"Bearer {tokens.begin(editor).access}"}

    def create():
        return Client().post(POSTS, json.dumps(post), content_type="application/json", headers=headers)

    first = create()
    assert first.status_code == 201, first.content
    is_kept = rotate()
    headers["Authorization"] = f"Bearer {tokens.begin(editor).access}"
    assert (create().content == first.content) == is_kept
    if is_kept:
        post["title"] = "Another"
        assert create().status_code == 422


def test_an_older_hash_is_replaced_when_its_password_was_right(settings):
    settings.PASSWORD_HASHERS = HASHERS
    editor = account("editor", "editor")
    User.objects.update(password=PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1))
    answer = Client().post(reverse("admin:login"), {"username": "editor", "password": PASSWORD})
    assert answer.status_code == 302
    editor.refresh_from_db()
    assert editor.password.startswith("argon2$argon2id$")
    assert editor.check_password(PASSWORD)
    assert not Entry.objects.filter(action="password.changed").exists()


HASHERS = ["backoffice.kit.hashers.Argon2", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
