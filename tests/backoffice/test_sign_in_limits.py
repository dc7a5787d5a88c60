"""Failed sign-ins are limited everywhere: the log-in form, POST /api/token/, Basic, the change of a password."""

import base64
import logging
import re
from datetime import timedelta
from ipaddress import ip_network

import pytest
from axes.models import AccessAttempt
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.content.api_client import ApiClient, errors, make_user
from tests.content.pages import administrator

PASSWORD = "correct-horse-battery"
WRONG = "wrong-horse-battery"
LIMIT = 3
ADDRESS_LIMIT = 6
POSTS = "/api/news/posts/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def limits(settings):
    settings.AXES_FAILURE_LIMIT, settings.SIGN_IN_ADDRESS_FAILURES = LIMIT, ADDRESS_LIMIT
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def editor():
    return make_user(password=PASSWORD, is_staff=True)


def form(username, password, **client):
    return Client(**client).post(reverse("admin:login"), {"username": username, "password": password})


def token(username, password, **client):
    data = {"username": username, "password": password}
    return Client(**client).post("/api/token/", data, content_type="application/json")


def basic(username, password, **client):
    credential = base64.b64encode(f"{username}:{password}".encode()).decode()
    return Client(**client).get(POSTS, headers={"Authorization": f"Basic {credential}"})


# The status of a wrong password, and of the right one.
WAYS = {form: (200, 302), token: (401, 200), basic: (401, 200)}
every_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)


def fail(way, times, username="editor", **client):
    return [way(username, WRONG, **client).status_code for _ in range(times)]


def pass_time(time):
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - time)


@every_way
def test_after_too_many_failures_the_right_password_is_refused_too_with_the_time_to_wait(editor, way):
    assert fail(way, LIMIT) == [WAYS[way][0]] * (LIMIT - 1) + [429]
    pass_time(timedelta(minutes=4))
    answer = way("editor", PASSWORD)
    assert answer.status_code == 429
    assert 350 < int(answer["Retry-After"]) <= 360  # seconds: of ten minutes, four are over
    assert "Try again in 6 minutes." in answer.content.decode()


@pytest.mark.parametrize("way", [token, basic], ids=lambda way: way.__name__)
def test_the_api_answers_a_problem(editor, way):
    fail(way, LIMIT)
    assert errors(way("editor", PASSWORD)) == {}


def test_the_admin_answers_a_page_that_leads_back(editor):
    fail(form, LIMIT)
    page = form("editor", PASSWORD)
    assert "Too many failed sign-ins" in page.content.decode()
    assert reverse("admin:login") in re.findall('href="([^"]+)"', page.content.decode())


@every_way
def test_a_lockout_ends_automatically(editor, settings, way):
    fail(way, LIMIT)
    pass_time(settings.AXES_COOLOFF_TIME)
    assert way("editor", PASSWORD).status_code == WAYS[way][1]


@every_way
def test_failures_during_a_lockout_do_not_extend_it(editor, settings, way):
    fail(way, LIMIT)
    pass_time(settings.AXES_COOLOFF_TIME - timedelta(minutes=1))
    assert fail(way, 2) == [429, 429]
    pass_time(timedelta(minutes=1))
    assert way("editor", PASSWORD).status_code == WAYS[way][1]


@every_way
def test_a_right_password_clears_the_failures_before_it(editor, way):
    for _ in range(3):
        assert 429 not in fail(way, LIMIT - 1)
        assert way("editor", PASSWORD).status_code == WAYS[way][1]
    assert not AccessAttempt.objects.exists()


def test_failures_are_counted_together(editor):
    assert [way("editor", WRONG).status_code for way in WAYS] == [200, 401, 429]


@every_way
def test_nobody_is_locked_out_by_somebody_elsewhere(editor, way):
    fail(way, LIMIT, REMOTE_ADDR="192.0.2.1")
    assert way("editor", PASSWORD).status_code == WAYS[way][1]


@every_way
def test_a_colleague_at_the_same_address_can_sign_in_until_the_address_is_closed(editor, way):
    make_user("chief", password=PASSWORD, is_staff=True)
    fail(way, LIMIT)
    assert way("chief", PASSWORD).status_code == WAYS[way][1]
    for name in ("a", "b", "c"):
        fail(way, 1, name)
    assert way("chief", PASSWORD).status_code == 429
    assert way("chief", PASSWORD, REMOTE_ADDR="192.0.2.1").status_code == WAYS[way][1]


@every_way
def test_a_right_password_does_not_clear_guesses_at_other_accounts(editor, way):
    make_user("chief", password=PASSWORD, is_staff=True)
    fail(way, LIMIT - 1)
    way("chief", PASSWORD)
    assert fail(way, 1) == [429]


@every_way
def test_other_headers_do_not_evade_the_limit(editor, way):
    answers = [
        fail(way, 1, headers={"User-Agent": agent, "X-Forwarded-For": agent}) for agent in ("1.1.1.1", "2.2.2.2", "::3")
    ]
    assert answers[-1] == [429]


def test_behind_a_proxy_the_address_that_it_saw_counts(editor, settings):
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    for claimed in ("203.0.113.1", "203.0.113.2", "203.0.113.3"):
        last = basic("editor", WRONG, headers={"X-Forwarded-For": f"{claimed}, 198.51.100.7"})
    assert last.status_code == 429
    assert basic("editor", PASSWORD, headers={"X-Forwarded-For": "198.51.100.8"}).status_code == 200


def test_an_address_that_is_not_known_is_not_closed_for_everybody(editor):
    for number in range(ADDRESS_LIMIT):
        fail(token, 1, f"name {number}", REMOTE_ADDR="")
    assert token("editor", PASSWORD, REMOTE_ADDR="").status_code == 200


def test_the_change_of_a_password_counts_too_and_an_idempotency_key_does_not_undo_it():
    editor = make_user(password=PASSWORD)
    api = ApiClient(editor)
    statuses = [
        api.post(
            "/api/accounts/me/password/",
            {"old": WRONG, "new": "another-horse-battery"},
            content_type="application/json",
            headers={"Idempotency-Key": str(number)},
        ).status_code
        for number in range(LIMIT)
    ]
    assert statuses == [422] * (LIMIT - 1) + [429]
    assert token("editor", PASSWORD).status_code == 429


# --- what it costs and what it leaves ---------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_basic_with_the_right_password_writes_nothing_and_begins_no_transaction(editor):
    with CaptureQueriesContext(connection) as queries:
        assert basic("editor", PASSWORD).status_code == 200
    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}


@every_way
def test_nothing_that_was_typed_is_kept_but_the_name_of_an_account(editor, way, caplog):
    caplog.set_level(logging.DEBUG)
    Client().post(f"{reverse('admin:login')}?next={WRONG}", {"username": "editor", "password": WRONG, "pin": WRONG})
    way("editor", WRONG)
    way(WRONG, PASSWORD)  # the password in the wrong field
    way(WRONG, PASSWORD)
    rows = str(list(AccessAttempt.objects.values()))
    assert "editor" in rows
    assert WRONG not in rows + caplog.text
    assert PASSWORD not in rows + caplog.text


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "", "é" * 300], ids=["long", "nul", "empty", "wide"])
@every_way
def test_impossible_names_are_refused(way, name):
    assert {*fail(way, LIMIT + 1, name)} <= {WAYS[way][0], 422, 429}


def test_names_of_no_account_are_counted_like_others():
    assert fail(basic, LIMIT, "x" * 5000)[-1] == fail(token, LIMIT, "nobody")[-1] == 429


def test_deleting_the_failures_ends_a_lockout(editor):
    fail(form, LIMIT)
    client = administrator()
    row = AccessAttempt.objects.get()
    page = client.get(reverse("admin:accounts_failedsignin_changelist"))
    assert "editor" in page.content.decode()
    assert client.get(reverse("admin:accounts_failedsignin_change", args=[row.pk])).status_code == 200
    assert client.get(reverse("admin:accounts_failedsignin_add")).status_code == 403
    client.post(reverse("admin:accounts_failedsignin_delete", args=[row.pk]), {"post": "yes"})
    assert form("editor", PASSWORD).status_code == 302
