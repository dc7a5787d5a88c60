"""Failed sign-ins are slowed down everywhere: the log-in form, POST /api/token/, Basic, the change of a password.

Nobody is locked out: whoever signed in from there before is not slowed down by strangers.
"""

import base64
import logging
import re
from datetime import timedelta
from ipaddress import ip_network
from multiprocessing import get_context
from types import SimpleNamespace

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.kit import clock, sign_in
from backoffice.kit.audit.models import Entry
from backoffice.kit.sign_in.limits import FORGOTTEN, Attempt, Count
from backoffice.kit.sign_in.models import Failures, KnownAddress
from tests.content.api_client import ApiClient, errors, make_user
from tests.content.pages import administrator

PASSWORD = "correct-horse-battery"
WRONG = "wrong-horse-battery"
FREE = {"account": 3, "address": 6, "known": 60}
POSTS = "/api/news/posts/"
HOME, ELSEWHERE = {"REMOTE_ADDR": "192.0.2.1"}, {"REMOTE_ADDR": "203.0.113.9"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def limits(settings, monkeypatch):
    """Few failures are free, and no time passes but by `pass_time`: a busy machine takes longer than the first wait."""
    settings.SIGN_IN_FREE_FAILURES = FREE
    started = clock.now()
    monkeypatch.setattr(sign_in.limits, "clock", SimpleNamespace(now=lambda: started))


@pytest.fixture
def editor():
    return make_user(password=PASSWORD, is_staff=True)


def form(username, password, browser=None, **client):
    return (browser or Client(**client)).post(reverse("admin:login"), {"username": username, "password": password})


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


def pass_time(**time):
    Failures.objects.update(last_at=F("last_at") - timedelta(**time))


@pytest.mark.parametrize(
    ("number", "seconds"), [(0, 0), (4, 0), (5, 1), (6, 2), (7, 4), (10, 32), (11, 60), (10**9, 60)]
)
def test_the_wait_grows_to_a_minute(number, seconds):
    assert Count("key", free=5).delay(number) == timedelta(seconds=seconds)


@every_way
def test_after_a_few_failures_each_further_guess_waits_for_longer(editor, way):
    wrong, right = WAYS[way]
    assert fail(way, FREE["account"] + 1) == [wrong] * FREE["account"] + [429]
    waits: list[int] = []
    for _ in range(7):
        answer = way("editor", PASSWORD)
        assert answer.status_code == 429
        waits.append(int(answer["Retry-After"]))
        pass_time(seconds=waits[-1])
        assert fail(way, 1) == [wrong]
    assert waits == [1, 2, 4, 8, 16, 32, 60]
    pass_time(minutes=1)
    assert way("editor", PASSWORD).status_code == right


@pytest.mark.parametrize("way", [token, basic], ids=lambda way: way.__name__)
def test_the_api_answers_a_problem(editor, way):
    fail(way, FREE["account"])
    assert errors(way("editor", PASSWORD)) == {}


def test_the_admin_answers_a_page_that_leads_back(editor):
    fail(form, FREE["account"])
    page = form("editor", PASSWORD).content.decode()
    assert "Too many failed sign-ins. Try again in a second." in page
    assert reverse("admin:login") in re.findall('href="([^"]+)"', page)


# --- nobody is locked out ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("way", "known_by"),
    [
        pytest.param(way, known_by, marks=[] if way == known_by else pytest.mark.thorough)
        for way in WAYS
        for known_by in WAYS
    ],
    ids=lambda way: way.__name__,
)
def test_fifty_guesses_at_an_account_do_not_keep_its_owner_out_who_shares_the_address(editor, way, known_by):
    """As in Docker without a proxy, where the gateway's address is everybody's."""
    known_by("editor", PASSWORD)
    fail(way, 50)
    assert way("editor", PASSWORD).status_code == WAYS[way][1]


@every_way
def test_guesses_at_many_accounts_do_not_keep_out_who_shares_the_address(editor, way):
    way("editor", PASSWORD)
    for number in range(50):
        fail(way, 1, f"name {number}")
    assert way("editor", PASSWORD).status_code == WAYS[way][1]
    assert token("stranger", PASSWORD).status_code == 429


@every_way
def test_guesses_from_elsewhere_do_not_keep_out_who_signed_in_from_there_before(editor, way):
    way("editor", PASSWORD, **HOME)
    fail(way, 20, **ELSEWHERE)
    assert way("editor", PASSWORD, **ELSEWHERE).status_code == 429
    assert way("editor", PASSWORD, **HOME).status_code == WAYS[way][1]


@pytest.mark.parametrize(("days", "status"), [(90, 200), (91, 429)])
def test_an_address_is_known_for_ninety_days(editor, days, status):
    token("editor", PASSWORD)
    KnownAddress.objects.update(seen_on=timezone.now().date() - timedelta(days=days))
    fail(token, FREE["account"], **ELSEWHERE)
    assert token("editor", PASSWORD).status_code == status


def test_a_browser_that_signed_in_before_is_known_wherever_it_is(editor):
    browser = Client()
    form("editor", PASSWORD, browser)
    KnownAddress.objects.all().delete()
    browser.post(reverse("admin:logout"))
    fail(form, 20)
    assert form("editor", PASSWORD).status_code == 429
    assert form("editor", PASSWORD, browser).status_code == 302


def test_the_cookie_of_a_browser_is_out_of_reach_and_serves_one_account(editor, settings):
    make_user("chief", password=PASSWORD, is_staff=True)
    browser = Client()
    cookie = form("editor", PASSWORD, browser).cookies["test_device"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    browser.post(reverse("admin:logout"))
    fail(form, FREE["account"], "chief", **ELSEWHERE)
    assert form("chief", PASSWORD, browser).status_code == 429
    browser.cookies["test_device"] = cookie.value[:-1] + ("A" if cookie.value[-1] != "A" else "B")
    KnownAddress.objects.all().delete()
    fail(form, FREE["account"], **ELSEWHERE)
    assert form("editor", PASSWORD, browser).status_code == 429


@every_way
def test_who_is_known_may_not_guess_for_ever(editor, way):
    way("editor", PASSWORD)
    assert fail(way, FREE["known"] + 1) == [WAYS[way][0]] * FREE["known"] + [429]
    pass_time(seconds=1)
    assert way("editor", PASSWORD).status_code == WAYS[way][1]


@every_way
def test_waiting_attempts_do_not_prolong_the_wait_and_failures_are_forgotten(editor, way):
    fail(way, FREE["account"])
    assert fail(way, 5) == [429] * 5
    pass_time(seconds=1)
    assert fail(way, 1) == [WAYS[way][0]]
    pass_time(seconds=FORGOTTEN.total_seconds())
    assert fail(way, FREE["account"]) == [WAYS[way][0]] * FREE["account"]


# --- what is counted --------------------------------------------------------------------------------------------------
@every_way
def test_a_right_password_clears_the_failures_before_it(editor, way):
    for _ in range(3):
        assert 429 not in fail(way, FREE["account"] - 1)
        assert way("editor", PASSWORD).status_code == WAYS[way][1]
    assert not Failures.objects.exclude(key__startswith="address").exists()


def test_failures_are_counted_together(editor):
    assert [way("editor", WRONG).status_code for way in (*WAYS, form)] == [200, 401, 401, 429]


@every_way
def test_guesses_from_many_addresses_at_one_account_are_counted_together(editor, way):
    statuses = [fail(way, 1, REMOTE_ADDR=f"203.0.113.{number}")[0] for number in range(FREE["account"] + 1)]
    assert statuses == [WAYS[way][0]] * FREE["account"] + [429]


@every_way
def test_guesses_from_one_address_at_many_accounts_are_counted_together(editor, way):
    statuses = [fail(way, 1, f"name {number}")[0] for number in range(FREE["address"] + 1)]
    assert statuses == [WAYS[way][0]] * FREE["address"] + [429]


@every_way
def test_a_right_password_does_not_clear_guesses_at_other_accounts(editor, way):
    make_user("chief", password=PASSWORD, is_staff=True)
    fail(way, FREE["account"] - 1)
    way("chief", PASSWORD)
    assert fail(way, 2) == [WAYS[way][0], 429]


@every_way
def test_a_forged_header_does_not_evade_the_limit(editor, way):
    answers = [
        fail(way, 1, headers={"User-Agent": agent, "X-Forwarded-For": agent})
        for agent in ("1.1.1.1", "2.2.2.2", "::3", "4.4.4.4")
    ]
    assert answers[-1] == [429]


def test_behind_a_trusted_proxy_the_address_that_it_saw_counts(settings):
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    for number in range(FREE["address"]):
        fail(basic, 1, f"name {number}", headers={"X-Forwarded-For": f"203.0.113.{number}, 198.51.100.7"})
    assert fail(basic, 1, headers={"X-Forwarded-For": "198.51.100.7"}) == [429]
    assert fail(basic, 1, headers={"X-Forwarded-For": "198.51.100.8"}) == [401]


def test_an_address_that_is_not_known_is_not_slowed_down_for_everybody(editor):
    for number in range(FREE["address"] + 1):
        fail(token, 1, f"name {number}", REMOTE_ADDR="")
    assert token("editor", PASSWORD, REMOTE_ADDR="").status_code == 200


def test_the_change_of_a_password_counts_too_and_an_idempotency_key_does_not_undo_it(settings):
    settings.SIGN_IN_FREE_FAILURES = FREE | {"known": 2}
    editor = make_user(password=PASSWORD)
    token("editor", PASSWORD)
    api = ApiClient(editor)
    statuses = [
        api.post(
            "/api/accounts/me/password/",
            {"old": WRONG, "new": "another-horse-battery"},
            content_type="application/json",
            headers={"Idempotency-Key": str(number)},
        ).status_code
        for number in range(3)
    ]
    assert statuses == [422, 422, 429]
    assert token("editor", PASSWORD).status_code == 429


@pytest.mark.django_db(transaction=True)
def test_another_process_counts_the_same_failures(editor):
    connection.close()  # two processes can't share one
    other = get_context("fork").Process(target=fail, args=(token, FREE["account"]))
    other.start()
    other.join(60)
    assert other.exitcode == 0
    assert fail(token, 1) == [429]


def test_of_guesses_at_once_one_is_checked(editor, rf):
    fail(token, FREE["account"])
    pass_time(seconds=1)
    slower, quicker = (Attempt(rf.get("/"), "editor") for _ in range(2))
    waits: list[int] = []

    def overtake(execute, sql, *statement):
        if sql.startswith("UPDATE") and not waits:
            waits.append(-1)
            waits[0] = quicker.begin()
        return execute(sql, *statement)

    with connection.execute_wrapper(overtake):
        waits.append(slower.begin())
    assert waits == [0, 1]


# --- what it costs and what it leaves ---------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_basic_with_the_right_password_writes_nothing_but_on_its_first_request_of_a_day(editor):
    basic("editor", PASSWORD)
    with CaptureQueriesContext(connection) as queries:
        assert basic("editor", PASSWORD).status_code == 200
    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}
    assert Entry.objects.filter(action="sign_in.succeeded").count() == 1


@every_way
def test_nothing_that_was_typed_is_kept_but_the_name_of_an_account(editor, way, caplog):
    caplog.set_level(logging.DEBUG)
    Client().post(f"{reverse('admin:login')}?next={WRONG}", {"username": "editor", "password": WRONG, "pin": WRONG})
    way("editor", WRONG)
    way(WRONG, PASSWORD)  # the password in the wrong field
    way(WRONG, PASSWORD)
    rows = str([*Failures.objects.values(), *Entry.objects.values()])
    assert "editor" in rows
    assert WRONG not in rows + caplog.text
    assert PASSWORD not in rows + caplog.text


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "", "é" * 300], ids=["long", "nul", "empty", "wide"])
@every_way
def test_impossible_names_are_refused(way, name):
    assert {*fail(way, FREE["account"] + 1, name)} <= {WAYS[way][0], 422, 429}


def test_names_of_no_account_are_counted_like_others():
    assert fail(basic, FREE["account"] + 1, "x" * 5000)[-1] == 429
    assert fail(token, FREE["account"] + 1, "nobody")[-1] == 429


# --- the audit trail --------------------------------------------------------------------------------------------------
@every_way
def test_sign_ins_and_failed_ones_are_recorded_once(editor, way):
    way("editor", WRONG, **HOME)
    way("editor", PASSWORD, **HOME)
    way("nobody", WRONG, **HOME)
    rows = Entry.objects.filter(action__startswith="sign_in").order_by("pk")
    assert [(row.action, row.actor_name, row.subject_name, row.address) for row in rows] == [
        ("sign_in.failed", "", "editor", "192.0.2.1"),
        ("sign_in.succeeded", "editor", "editor", "192.0.2.1"),
        ("sign_in.failed", "", "", "192.0.2.1"),
    ]


def test_signing_out_is_recorded_and_a_guess_that_had_to_wait_is_not(editor):
    client = administrator()
    client.post(reverse("admin:logout"))
    fail(form, FREE["account"] + 5)
    actions = [*Entry.objects.filter(action__startswith="sign_in").values_list("action", flat=True).order_by("pk")]
    assert actions == ["sign_in.succeeded", "sign_in.ended"] + ["sign_in.failed"] * FREE["account"]
