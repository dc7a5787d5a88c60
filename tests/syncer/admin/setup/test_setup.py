"""The whole way from an address and a token to the first records at the target."""

import pytest

from content.news.models import Comment, Post
from syncer.models import Route, Target
from tests.remote import Bearer, Dialect
from tests.syncer.conftest import sync

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_first_time_operator_gets_from_an_address_and_a_token_to_the_first_records(walk, remote, monkeypatch):
    monkeypatch.setenv("SYNC_TOKEN", "s3cret-token")
    remote.require(Bearer("s3cret-token"))
    remote.store.create("posts", {"userId": 1, "title": "T", "body": "theirs"})
    Post.objects.create(title="A", body="ours")
    walk.send(url=remote.url, title="Web shop")
    assert walk.step == "sign-in"
    assert "wants a sign-in (401)" in walk.text
    walk.send(auth="bearer", auth_secret="env:SYNC_TOKEN")
    assert walk.step == "try"
    assert "It works so far" in walk.text
    target = Target.objects.get()
    assert (target.name, target.enabled, str(target)) == ("web-shop", False, "Web shop")
    walk.go(walk.page.context["following"]).send(model="news.Post", path="")
    assert walk.step == "fields", walk.page.context["form"].errors
    route = Route.objects.get()
    assert (route.path, route.enabled, route.lookup) == ("/posts", False, ["userId", "title"])
    assert route.fields == {"userId": "user_id", "title": "title", "body": "body"}
    assert "theirs" in walk.text
    assert "&quot;body&quot;: &quot;ours&quot;" in walk.text
    walk.send()
    assert walk.step == "finish"
    walk.press("count")
    assert "1 is created" in walk.text
    assert remote.writes() == []
    assert "s3cret" not in walk.text
    walk.press("on", trigger_way="manual")
    assert "Web shop is on" in walk.text
    target.refresh_from_db()
    route.refresh_from_db()
    assert (target.enabled, route.enabled, route.trigger) == (True, True, "manual")
    sync(target)
    assert [post["title"] for post in remote.posts.values()] == ["T", "A"]


def test_a_service_that_wraps_its_answers_is_understood_without_a_word(walk, remote):
    remote.speak(Dialect(id="_id", wrap="data", record="data", items="data"))
    remote.store.create("posts", {"userId": 1, "title": "T", "body": "theirs"})
    Post.objects.create(title="A", body="ours")
    walk.send(url=remote.url, title="Strapi")
    walk.send(auth="none")
    walk.go(walk.page.context["following"]).send(model="news.Post", path="/posts")
    route = Route.objects.get()
    assert (route.items_field, route.id_field, route.record) == ("data", "_id", "data")
    walk.send(wrap="data").press("on", existing="create")
    sync(Target.objects.get())
    assert [post["title"] for post in remote.posts.values()] == ["T", "A"]


def test_children_follow_their_parents(walk, remote):
    post = Post.objects.create(title="A", body="ours")
    Comment.objects.create(post=post, name="N", email="n@example.com", body="B")
    remote.store.create("comments", {"postId": 1, "name": "n", "email": "e", "body": "b"})
    walk.send(url=remote.url, title="Shop").send(auth="none")
    walk.go(walk.page.context["following"]).send(model="news.Comment", path="")
    assert walk.errors == {"model": ["Each news.Comment belongs to a news.Post. Set up news.Post first."]}
    walk.send(model="news.Post", path="/posts").send().press("another")
    assert walk.step == "records"
    walk.send(model="news.Comment", path="")
    assert Route.objects.get(model="news.Comment").fields == {
        "postId": "post",
        "name": "name",
        "email": "email",
        "body": "body",
    }
    assert "(its parent&#x27;s id)" in walk.text
    walk.send()
    assert "waits for news.Post, which is still off" in walk.text
