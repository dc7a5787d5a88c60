"""What a changed route will cause is shown before it is saved: in its form, and by sync_configure."""

import json

import pytest
from django.core.management import call_command
from django.urls import reverse

from content.news.models import Comment, Post
from syncer.models import Route
from syncer.reports.forecast import forecast
from tests.content.pages import administrator, form_of, with_rows
from tests.syncer.conftest import sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.law]


@pytest.fixture
def route(target, remote):
    """The route of thirty posts, of which the first has two comments."""
    posts = Post.objects.bulk_create(Post(title=f"Post {n}", body="B", user_id=n) for n in range(1, 31))
    for n in range(2):
        Comment.objects.create(post=posts[0], name=f"N{n}", email="n@example.com", body="B")
    sync(target)
    return Route.objects.get(target=target, model="news.Post")


def text_of(answer):
    return " ".join(answer.content.decode().split())


def changed(route, **columns):
    for name, value in columns.items():
        setattr(route, name, value)
    return str(forecast(route))


def form(client, route):
    address = reverse("admin:syncer_route_change", args=[route.pk])
    return address, form_of(client.get(address), "route_form") | {"enabled": "on"}


def test_a_mistyped_filter_says_what_it_would_delete(route):
    assert changed(route, filter={"user_id__gt": 28}) == (
        "delete 28 of 30 records of news.Post at Fake API, create 0, change 0 (the deletes are so many that they wait "
        "until a person has reviewed them); and delete 2 of 2 records of news.Comment at Fake API, create 0, change 0"
    )


def test_a_wider_filter_says_what_it_would_create(route):
    Route.objects.filter(pk=route.pk).update(filter={"user_id__lt": 50})
    sync(route.target)
    Post.objects.create(title="More", body="B", user_id=60)
    assert changed(route, filter={}) == ("delete 0 of 30 records of news.Post at Fake API, create 1, change 0")


def test_another_field_says_what_it_would_change(route):
    assert changed(route, fields={"title": "title", "body": "title"}) == (
        "delete 0 of 30 records of news.Post at Fake API, create 0, change 30"
    )


def test_another_path_says_where_the_records_are_expected(route):
    assert changed(route, path="/articles") == ("send nothing. The records that are there are expected under /articles")


@pytest.mark.parametrize(
    "columns",
    [{"trigger": "change"}, {"filter": {"user_id__gt": 28}, "enabled": False}, {"filter": {"user_id__gt": 0}}],
)
def test_what_causes_nothing_is_not_asked_about(route, columns):
    assert changed(route, **columns) == "send nothing"
    assert not forecast(route)


def test_the_form_asks_before_it_saves_and_keeps_what_was_typed(route, remote):
    client = administrator()
    address, values = form(client, route)
    answer = client.post(address, with_rows(values, filter=[("user_id__gt", "28")]))
    assert "Saving this will delete 28 of 30 records of news.Post at Fake API" in text_of(answer)
    shown = form_of(answer, "route_form") | {"enabled": "on"}
    assert (shown["filter-0-0"], shown["filter-0-1"]) == ("user_id__gt", "28")
    route.refresh_from_db()
    assert route.filter == {}
    confirmation = answer.context["confirmation"]
    assert client.post(address, shown | {"confirmed": confirmation}).status_code == 302
    route.refresh_from_db()
    assert route.filter == {"user_id__gt": 28}


def test_what_was_confirmed_is_exactly_what_was_shown(route):
    client = administrator()
    address, values = form(client, route)
    values = with_rows(values, filter=[("user_id__gt", "28")])
    confirmation = client.post(address, values).context["confirmation"]
    Post.objects.filter(user_id=29).update(user_id=1)
    answer = client.post(address, values | {"confirmed": confirmation})
    assert "Saving this will delete 29 of 30 records" in text_of(answer)
    route.refresh_from_db()
    assert route.filter == {}


def test_a_form_that_causes_nothing_is_saved_at_once(route):
    client = administrator()
    address, values = form(client, route)
    assert client.post(address, values | {"trigger": "change"}).status_code == 302


def test_sync_configure_says_the_same(route, tmp_path, capsys):
    file = tmp_path / "fakeapi.toml"
    file.write_text(f"""
[targets.fakeapi]
title = "Fake API"
url = "{route.target.url}"

[[targets.fakeapi.routes]]
model = "news.Post"
path = "/posts"
fields = {{ userId = "user_id", title = "title", body = "body" }}
filter = {{ user_id__gt = 28 }}

[[targets.fakeapi.routes]]
model = "news.Comment"
path = "/comments"
fields = {{ postId = "post", name = "name", email = "email", body = "body" }}
""")
    says = "The next sync will delete 28 of 30 records of news.Post at Fake API, create 0, change 0"
    call_command("sync_configure", str(file), "--check")
    assert says in capsys.readouterr().out
    call_command("sync_configure", str(file), "--json")
    changes = json.loads(capsys.readouterr().out)["changes"]
    [effects] = [change["effects"] for change in changes if change["route"] == "news.Post"]
    assert effects.startswith(says)
    assert sync(route.target).message.startswith("30 deletes wait for a person: 28 of news.Post, ")
