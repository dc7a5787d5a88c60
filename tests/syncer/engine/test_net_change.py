"""What the remote receives for a day's edits: the net change and nothing else."""

import pytest
from django.db import connection, transaction

from content.news.models import Comment, Post
from syncer.engine.plan import plan, raise_keys
from syncer.models.routemap import RouteMap
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of

pytestmark = pytest.mark.django_db(transaction=True)


def requests(remote):
    return [(entry.method, entry.path) for entry in remote.writes()]


def test_created_and_updated_is_one_post(remote, target):
    post = Post.objects.create(title="A", body="B")
    Post.objects.filter(pk=post.pk).update(body="C")
    sync(target)
    assert requests(remote) == [("POST", "/posts")]
    assert list(remote.records("/posts").values()) == [{"id": 1, "userId": 99999942, "title": "A", "body": "C"}]


def test_created_updated_and_deleted_is_nothing(remote, target):
    post = Post.objects.create(title="A", body="B")
    post.title = "C"
    post.save()
    post.delete()
    run = sync(target)
    assert requests(remote) == []
    assert run.state == "done"


@pytest.mark.parametrize(("titles", "sent"), [("CDE", [("PUT", "/posts/1")]), ("CA", [])], ids=["changed", "and back"])
def test_many_updates_are_one_put_or_none(remote, target, synced, titles, sent):
    for title in titles:
        synced.title = title
        synced.save()
    sync(target)
    assert requests(remote) == sent


def test_a_deleted_post_takes_its_comments_first(remote, target, synced):
    for number in range(3):
        Comment.objects.create(post=synced, name=f"N{number}", email="n@example.com", body="B")
    sync(target)
    remote.clear_journal()
    synced.delete()
    sync(target)
    assert sorted(requests(remote)[:3]) == [("DELETE", f"/comments/{number}") for number in (1, 2, 3)]
    assert requests(remote)[3:] == [("DELETE", "/posts/1")]


def test_a_comment_on_a_new_post_carries_the_remote_id_of_its_post(remote, target):
    remote.store.create("posts", {"title": "not ours"})
    post = Post.objects.create(title="A", body="B")
    Comment.objects.create(post=post, name="N", email="n@example.com", body="B")
    sync(target)
    assert [record["postId"] for record in remote.records("/comments").values()] == [2]


def test_an_object_that_is_gone_though_no_history_says_so_is_deleted_there_too(remote, target, synced):
    kept = Post.objects.create(title="C", body="D")
    sync(target)
    number, record = synced.pk, binding_of(synced).record
    synced.delete()
    Post.history.filter(id=number).delete()
    remote.clear_journal()
    assert sync(target).message == "1 deleted."
    assert requests(remote) == [("DELETE", f"/posts/{record}")]
    assert [record["title"] for record in remote.records("/posts").values()] == [kept.title]
    assert sync(target).message.startswith("Nothing to send")


@pytest.mark.postgres
def test_a_plan_of_few_objects_among_many_changes_no_index(target):
    posts = Post.objects.bulk_create(Post(title="A", body="B") for _ in range(400))
    routes = RouteMap(target)
    route = routes.parents_first[0]
    plan(routes, route)
    with transaction.atomic(), connection.cursor() as cursor:
        assert raise_keys(route, [str(post.pk) for post in posts[::20]]) == 20
        cursor.execute("SELECT pg_stat_get_xact_tuples_hot_updated('syncer_binding'::regclass)")
        assert cursor.fetchone() == (20,)
