"""Failed sign-ins are limited at every door: the log-in form, POST /api/token/, Basic, the change of a password."""

import base64
import logging
import re
from datetime import timedelta

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


# How each door refuses a wrong password, and lets a right one in.
DOORS = {form: (200, 302), token: (401, 200), basic: (401, 200)}
doors = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)


def fail(door, times, username="editor", **client):
    return [door(username, WRONG, **client).status_code for _ in range(times)]


def pass_time(time):
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - time)


@doors
def test_after_too_many_failures_the_right_password_is_refused_too_and_says_until_when(editor, settings, door):
    assert fail(door, LIMIT) == [DOORS[door][0]] * (LIMIT - 1) + [429]
    pass_time(timedelta(minutes=4))
    answer = door("editor", PASSWORD)
    assert answer.status_code == 429
    assert 350 < int(answer["Retry-After"]) <= 360  # seconds: of ten minutes, four are over
    assert "Try again in 6 minutes." in answer.content.decode()


@pytest.mark.parametrize("door", [token, basic], ids=lambda door: door.__name__)
def test_the_api_answers_a_problem(editor, door):
    fail(door, LIMIT)
    assert errors(door("editor", PASSWORD)) == {}


def test_the_admin_answers_a_page_that_leads_back(editor):
    fail(form, LIMIT)
    page = form("editor", PASSWORD)
    assert "Too many failed sign-ins" in page.content.decode()
    assert reverse("admin:login") in re.findall('href="([^"]+)"', page.content.decode())


@doors
def test_the_door_opens_by_itself(editor, settings, door):
    fail(door, LIMIT)
    pass_time(settings.AXES_COOLOFF_TIME)
    assert door("editor", PASSWORD).status_code == DOORS[door][1]


@doors
def test_knocking_at_a_closed_door_does_not_keep_it_closed(editor, settings, door):
    fail(door, LIMIT)
    pass_time(settings.AXES_COOLOFF_TIME - timedelta(minutes=1))
    assert fail(door, 2) == [429, 429]
    pass_time(timedelta(minutes=1))
    assert door("editor", PASSWORD).status_code == DOORS[door][1]


@doors
def test_a_right_password_forgets_the_failures_before_it(editor, door):
    for _ in range(3):
        assert 429 not in fail(door, LIMIT - 1)
        assert door("editor", PASSWORD).status_code == DOORS[door][1]
    assert not AccessAttempt.objects.exists()


def test_the_doors_count_together(editor):
    assert [door("editor", WRONG).status_code for door in DOORS] == [200, 401, 429]


@doors
def test_nobody_is_locked_out_by_somebody_elsewhere(editor, door):
    fail(door, LIMIT, REMOTE_ADDR="192.0.2.1")
    assert door("editor", PASSWORD).status_code == DOORS[door][1]


@doors
def test_a_colleague_at_the_same_address_can_sign_in_until_the_address_is_closed(editor, door):
    make_user("chief", password=PASSWORD, is_staff=True)
    fail(door, LIMIT)
    assert door("chief", PASSWORD).status_code == DOORS[door][1]
    for name in ("a", "b", "c"):
        fail(door, 1, name)
    assert door("chief", PASSWORD).status_code == 429
    assert door("chief", PASSWORD, REMOTE_ADDR="192.0.2.1").status_code == DOORS[door][1]


@doors
def test_a_right_password_of_ones_own_does_not_forget_guesses_at_others(editor, door):
    make_user("chief", password=PASSWORD, is_staff=True)
    fail(door, LIMIT - 1)
    door("chief", PASSWORD)
    assert fail(door, 1) == [429]


@doors
def test_other_words_in_the_headers_are_no_way_round(editor, door):
    answers = [
        fail(door, 1, headers={"User-Agent": agent, "X-Forwarded-For": agent})
        for agent in ("1.1.1.1", "2.2.2.2", "::3")
    ]
    assert answers[-1] == [429]


def test_behind_a_proxy_the_address_that_it_saw_counts(editor, settings):
    settings.BEHIND_PROXY = True
    for claimed in ("203.0.113.1", "203.0.113.2", "203.0.113.3"):
        last = basic("editor", WRONG, headers={"X-Forwarded-For": f"{claimed}, 198.51.100.7"})
    assert last.status_code == 429
    assert basic("editor", PASSWORD, headers={"X-Forwarded-For": "198.51.100.8"}).status_code == 200


def test_an_address_that_is_not_known_is_not_closed_for_everybody(editor):
    for number in range(ADDRESS_LIMIT):
        fail(token, 1, f"name {number}", REMOTE_ADDR="")
    assert token("editor", PASSWORD, REMOTE_ADDR="").status_code == 200


def test_the_change_of_a_password_is_a_door_too_and_a_key_does_not_undo_the_count():
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


@doors
def test_nothing_that_was_typed_is_kept_but_the_name_of_an_account(editor, door, caplog):
    caplog.set_level(logging.DEBUG)
    Client().post(f"{reverse('admin:login')}?next={WRONG}", {"username": "editor", "password": WRONG, "pin": WRONG})
    door("editor", WRONG)
    door(WRONG, PASSWORD)  # the password in the wrong field
    door(WRONG, PASSWORD)
    rows = str(list(AccessAttempt.objects.values()))
    assert "editor" in rows
    assert WRONG not in rows + caplog.text
    assert PASSWORD not in rows + caplog.text


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "", "é" * 300], ids=["long", "nul", "empty", "wide"])
@doors
def test_names_that_can_be_no_ones_break_no_door(door, name):
    assert {*fail(door, LIMIT + 1, name)} <= {DOORS[door][0], 422, 429}


def test_names_of_no_account_are_counted_like_others():
    assert fail(basic, LIMIT, "x" * 5000)[-1] == fail(token, LIMIT, "nobody")[-1] == 429


def test_who_may_delete_failures_opens_the_door(editor):
    fail(form, LIMIT)
    client = administrator()
    row = AccessAttempt.objects.get()
    page = client.get(reverse("admin:accounts_failedsignin_changelist"))
    assert "editor" in page.content.decode()
    assert client.get(reverse("admin:accounts_failedsignin_change", args=[row.pk])).status_code == 200
    assert client.get(reverse("admin:accounts_failedsignin_add")).status_code == 403
    client.post(reverse("admin:accounts_failedsignin_delete", args=[row.pk]), {"post": "yes"})
    assert form("editor", PASSWORD).status_code == 302
