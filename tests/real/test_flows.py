"""What an editor does here arrives there once, whatever the way loses."""

import pytest

from content.news.models import Post
from syncer.engine.runs import run_here
from syncer.models import Binding
from tests.real.servers import JsonServer, Kinto, KintoOurIds, PocketBase
from tests.real.support import LOST, ours, sync_to_rest, theirs, write
from tests.remote import Fault
from tests.syncer.support import let_time_pass

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,
    pytest.mark.parametrize("started", [JsonServer, Kinto, KintoOurIds, PocketBase], indirect=True),
]


def edit_all(kind):
    """Edit as this kind of request needs it: "create", "update" or "delete"."""
    match kind:
        case "create":
            Post.objects.create(title="Post 4", body="Text 4")
        case "update":
            for post in Post.objects.filter(title="Post 2"):
                post.body = "Edited"
                post.save()
        case "delete":
            Post.objects.filter(title="Post 2").delete()


def test_creates_updates_and_deletes_arrive(server, proxy, target):
    write(3)
    run_here(target)
    assert theirs(server) == ours()
    edit_all("create")
    edit_all("update")
    Post.objects.filter(title="Post 1").delete()
    run = run_here(target)
    assert (run.counts["created"], run.counts["updated"], run.counts["deleted"]) == (1, 1, 1)
    assert theirs(server) == ours()
    proxy.clear_journal()
    run_here(target)
    assert proxy.journal == []


@pytest.mark.parametrize("kind", ["create", "update", "delete"])
@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_doubles_and_loses_nothing(server, proxy, target, kind, fault):
    write(3)
    run_here(target)
    ids = {post["id"] for post in server.posts()}
    edit_all(kind)
    method = {"create": server.create, "update": server.update, "delete": "DELETE"}[kind]
    with proxy.fault(method=method, **LOST[fault]) as planned:
        run_here(target)
        assert planned.is_met
    let_time_pass()
    sync_to_rest(target)
    assert theirs(server) == ours()
    assert kind == "create" or {post["id"] for post in server.posts()} <= ids
    assert not Binding.objects.left(target).exists()  # nothing waits for a person


def test_many_posts_arrive_while_answers_are_lost(server, proxy, target):
    posts = write(12)
    proxy.chaos(seed=1, rate=0.3)
    run_here(target)
    for post in posts[:4]:
        post.body = "Edited"
        post.save()
    Post.objects.filter(pk__in=[post.pk for post in posts[4:8]]).delete()
    let_time_pass()
    run_here(target)
    assert [entry for entry in proxy.writes() if entry.fault]
    proxy.heal()
    let_time_pass()
    sync_to_rest(target)
    assert theirs(server) == ours()


def test_a_post_deleted_there_is_made_again_when_it_is_edited_here(server, target):
    write(2)
    run_here(target)
    server.remove(next(post for post in server.posts() if post["title"] == "Post 2"))
    edit_all("update")
    sync_to_rest(target)
    assert theirs(server) == ours()


def test_a_post_deleted_at_both_ends_is_gone(server, target):
    write(2)
    run_here(target)
    server.remove(next(post for post in server.posts() if post["title"] == "Post 2"))
    edit_all("delete")
    sync_to_rest(target)
    assert theirs(server) == ours()


def test_characters_arrive_as_they_are(server, proxy, target):
    """Looked up by their text too: the first create's answer is lost."""
    Post.objects.create(title='Ä & B "=?/# 100 % \U0001f600', body="two\nlines, <b>, \\, '")
    proxy.fault(method=server.create, **LOST["reset after it arrived"])
    run_here(target)
    let_time_pass()
    sync_to_rest(target)
    assert theirs(server) == ours()


@pytest.mark.parametrize("fault", ["reset before it arrives", "reset after it arrived"])
def test_a_lost_create_is_looked_for_on_all_pages(server, proxy, target, fault):
    target.routes.update(lookup=[server.user_id])  # which all posts have in common
    write(25)
    run_here(target)
    assert len(server.posts()) == 25
    Post.objects.create(title="Another", body="B")
    proxy.fault(method=server.create, **LOST[fault])
    run_here(target)
    let_time_pass()
    sync_to_rest(target)
    assert theirs(server) == ours()


def test_a_gateway_that_answers_everything_with_404_destroys_and_doubles_nothing(server, proxy, target):
    posts = write(6)
    run_here(target)
    ids = {post["id"] for post in server.posts() if post["title"] != "Post 3"}
    proxy.fault(Fault.HTML, status=404, times=None, act=False)
    for post in posts[:2]:
        post.body = "Edited"
        post.save()
    posts[2].delete()
    Post.objects.create(title="Post 7", body="Text 7")
    for _ in range(3):
        run_here(target)
        let_time_pass()
    assert len(server.posts()) == 6
    proxy.heal()
    sync_to_rest(target)
    assert theirs(server) == ours()
    assert {post["id"] for post in server.posts() if post["title"] != "Post 7"} == ids


def test_a_lost_create_behind_a_gateway_that_answers_404_is_not_doubled(server, proxy, target):
    write(2)
    run_here(target)
    Post.objects.create(title="Post 3", body="Text 3")
    proxy.fault(method=server.create, **LOST["reset after it arrived"])
    proxy.fault(Fault.HTML, method="GET", status=404, times=2, act=False)
    for _ in range(4):
        run_here(target)
        let_time_pass()
    sync_to_rest(target)
    assert theirs(server) == ours()
