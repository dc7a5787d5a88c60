"""`Server-Timing`: what a request cost, in development only."""

import re

import pytest
from django.db import connection
from django.http import HttpRequest

from backoffice.kit.timing import ServerTimingMiddleware
from content.news.models import Post
from tests.backoffice.test_settings import KEY, PRODUCTION, settings_with
from tests.content.api_client import ApiClient, make_user
from tests.content.pages import sign_in

pytestmark = pytest.mark.django_db

FORM = re.compile(r'db;dur=(\d+\.\d);desc="(\d+) statements", total;dur=(\d+\.\d)')


def cost(response):
    match = FORM.fullmatch(response["Server-Timing"])
    assert match, response["Server-Timing"]
    database, statements, total = match.groups()
    assert float(database) <= float(total)
    return int(statements)


def test_the_api_tells_what_a_request_cost():
    post = Post.objects.create(title="T", body="B")
    api = ApiClient(make_user())
    assert cost(api.get(f"/api/news/posts/{post.pk}/")) == 2
    assert cost(api.get("/api/nothing/")) == 0


def test_pages_tell_it_too():
    client = sign_in("news.view_post")
    assert cost(client.get("/admin/news/post/")) > 2
    assert cost(client.get("/health/live/")) == 0


def test_nothing_stays_behind_after_an_error():
    def fail(request):
        raise ZeroDivisionError

    before = [*connection.execute_wrappers]
    with pytest.raises(ZeroDivisionError):
        ServerTimingMiddleware(fail)(HttpRequest())
    assert connection.execute_wrappers == before


@pytest.mark.parametrize(
    ("environment", "is_told"),
    [
        (PRODUCTION, False),
        (PRODUCTION | {"BACKOFFICE_DEBUG": "true"}, True),
        ({"BACKOFFICE_ENV": "development", "SECRET_KEY": KEY}, True),
    ],
    ids=["production", "debug", "development"],
)
def test_production_tells_nobody(tmp_path, environment, is_told):
    middleware = settings_with(tmp_path, environment).MIDDLEWARE
    assert ("backoffice.kit.timing.ServerTimingMiddleware" in middleware) == is_told
