"""Requests are limited per user, and told of it by headers."""

import re
import time

import pytest
from django.core.cache import cache
from django.test import Client

from backoffice.kit.api.throttle import DEFAULT, Rate
from content.news.models import Post
from tests.backoffice.at_once import at_once
from tests.backoffice.test_settings import PRODUCTION, refusal, settings_with
from tests.content.api_client import ApiClient, errors, make_user
from tests.flows.wait import until

POSTS = "/api/news/posts/"
DAY = 24 * 60 * 60  # a window that does not end while a test runs, but for once a day

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def two_requests(settings):
    cache.clear()
    settings.API_RATE = (2, DAY)
    settings.REGISTRATION_RATE = (1, DAY)
    yield
    cache.clear()


def left(answer):
    """The policy and what is left of it, after a look at the headers' shape."""
    (policy, quota, window), (name, remaining, reset) = (
        re.findall(r'^"([a-z-]+)";[qr]=(\d+);[wt]=(\d+)$', answer[header])[0]
        for header in ("RateLimit-Policy", "RateLimit")
    )
    assert name == policy
    assert 0 < int(reset) <= int(window) == DAY
    return policy, int(quota), int(remaining)


def sign_in(to="/api/token/"):
    return Client().post(to, {"username": "editor", "password": "x"}, content_type="application/json")


def test_what_is_left_is_named_and_then_the_answer_is_429_until_the_window_ends():
    api = ApiClient(make_user())
    assert [left(api.get(POSTS)) for _ in range(2)] == [("default", 2, 1), ("default", 2, 0)]
    answer = api.get(POSTS)
    assert (answer.status_code, left(answer)) == (429, ("default", 2, 0))
    assert answer["RateLimit"].endswith(f";t={answer['Retry-After']}")
    assert errors(answer) == {}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_that_is_not_acceptable_names_what_is_left_too(method):
    api = ApiClient(make_user())
    assert left(api.generic(method, POSTS, headers={"Accept": "text/html"})) == ("default", 2, 1)


def test_a_request_over_the_limit_writes_nothing():
    api = ApiClient(make_user())
    statuses = [api.send("POST", POSTS, {"title": "T", "body": "B"}).status_code for _ in range(3)]
    assert statuses == [201, 201, 429]
    assert Post.objects.count() == 2


def test_the_next_window_begins_again_however_young_the_count_is(settings, rf):
    settings.API_RATE = (1, 1)  # one request a second
    until(lambda: time.time() % 1 > 0.5)
    first = DEFAULT.count(rf.get(POSTS), "user:1")
    until(lambda: time.time() % 1 < 0.5)
    assert (first.used, DEFAULT.count(rf.get(POSTS), "user:1").used) == (1, 1)


def test_users_of_one_address_do_not_use_each_others_up():
    first, second = ApiClient(make_user()), ApiClient(make_user("chief"))
    for _ in range(2):
        first.get(POSTS)
    assert left(second.get(POSTS)) == ("default", 2, 1)


def test_the_ways_to_sign_in_of_one_user_are_counted_together():
    user = make_user()
    browser = Client()
    browser.force_login(user)
    ApiClient(user).get(POSTS)
    assert left(browser.get(POSTS)) == ("default", 2, 0)


@pytest.mark.parametrize("path", [POSTS, "/api/nothing", "/api/openapi.json"])
def test_whoever_is_not_signed_in_is_counted_by_address(path):
    assert left(Client().get(path)) == ("default", 2, 1)
    assert left(Client().get(path)) == ("default", 2, 0)
    answer = Client().get(path)
    assert (answer.status_code, "Retry-After" in answer) == (429, True)
    errors(answer)
    assert left(Client(REMOTE_ADDR="192.0.2.1").get(path)) == ("default", 2, 1)


def test_registering_has_a_lower_limit_of_its_own(settings):
    settings.OPEN_REGISTRATION = True
    assert left(sign_in(to="/api/accounts/users/")) == ("registration", 1, 0)
    assert sign_in(to="/api/accounts/users/").status_code == 429
    assert left(sign_in()) == ("default", 2, 1)


def test_pages_of_the_admin_are_not_limited():
    for _ in range(3):
        answer = Client().get("/admin/login/")
        assert (answer.status_code, "RateLimit" in answer) == (200, False)


def test_threads_lose_no_count(settings, rf):
    settings.API_RATE = (10_000, DAY)

    def count(_):
        for _ in range(200):
            DEFAULT.count(rf.get(POSTS), "user:1")

    at_once(8, count)
    assert DEFAULT.count(rf.get(POSTS), "user:1")[1:3] == (Rate(10_000, DAY), 8 * 200 + 1)


def test_a_user_costs_one_number_however_many_requests(rf):
    for _ in range(100):
        DEFAULT.count(rf.get(POSTS), "user:1")
    assert len(cache._cache) == 1  # type: ignore[attr-defined]


# --- settings ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("text", "rate"), [("5/second", (5, 1)), ("7/hour", (7, 3600)), ("1/day", (1, 86400))])
def test_a_rate_is_a_number_and_a_period(tmp_path, text, rate):
    read = settings_with(tmp_path, {**PRODUCTION, "API_RATE": text})
    assert rate == read.API_RATE


@pytest.mark.parametrize("text", ["", "5", "0/minute", "-1/minute", "5/fortnight", "x/day"])
def test_a_rate_that_is_invalid_stops_the_program(tmp_path, text):
    assert "write a number and a period: 1000/minute" in refusal(tmp_path, {**PRODUCTION, "API_RATE": text})
