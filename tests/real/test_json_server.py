"""json-server 0.17: what is special about it."""

import pytest

from content.news.models import Comment, Post
from syncer.engine.runs import run_here
from syncer.models import Target
from syncer.targets.rest.first_load import load_target
from tests.real.servers import JsonServer
from tests.real.support import LOST, ours, sync_to_rest, theirs, write
from tests.syncer.support import let_time_pass

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,
    pytest.mark.parametrize("started", [JsonServer], indirect=True),
]


def comments(server):
    return server.ask("GET", "/comments")[0]


def test_comments_go_with_their_post(server, target):
    """The server deletes the comments of a deleted post, so that their own deletes are answered with 404."""
    posts = write(2)
    for post in posts:
        Comment.objects.create(post=post, name="N", email="n@example.com", body="B")
    run_here(target)
    ids = {post["title"]: post["id"] for post in server.posts()}
    assert {comment["postId"] for comment in comments(server)} == set(ids.values())
    posts[0].delete()
    sync_to_rest(target)
    assert theirs(server) == ours()
    assert [comment["postId"] for comment in comments(server)] == [ids["Post 2"]]


def test_all_posts_are_imported_under_their_ids(server, target):
    for number in range(25):
        server.add(title=f"Post {number}", body="B", userId=1)
    assert load_target(target)["news.Post"] == 25
    assert set(Post.objects.values_list("pk", flat=True)) == {post["id"] for post in server.posts()}
    assert theirs(server) == ours()


def test_a_patch_keeps_what_only_the_server_has(server, target):
    target.routes.update(update="PATCH")
    write(1)
    run_here(target)
    server.change(server.posts()[0], likes=5)
    Post.objects.update(body="Edited")
    run_here(target)
    assert [(post["body"], post["likes"]) for post in server.posts()] == [("Edited", 5)]


@pytest.mark.parametrize("fault", ["reset before it arrives", "reset after it arrived"])
def test_a_record_that_has_the_id_of_a_deleted_one_is_not_deleted_in_its_place(server, proxy, target, fault):
    """The next id is the highest one plus 1, so a record deleted last gives its id to the next one.

    The delete may have arrived. If it is sent again after a create, it must not reach the record made since.
    """
    write(2)
    run_here(target)
    Post.objects.filter(title="Post 2").delete()
    Target.objects.update(timeout=60)  # for so long the delete is not sent again
    proxy.fault(method="DELETE", **LOST[fault])
    run_here(target)
    Post.objects.create(title="Post 3", body="Text 3")
    run_here(target)
    let_time_pass()
    sync_to_rest(target)
    assert theirs(server) == ours()


@pytest.mark.parametrize("fault", ["reset before it arrives", "reset after it arrived"])
def test_a_list_shorter_than_its_total_is_no_evidence_of_absence(server, proxy, target, fault):
    """With `_limit` alone there is no Link to the next page, only X-Total-Count says that there is more."""
    target.routes.update(query={"_limit": "10"}, lookup=["userId"])
    write(12)
    run_here(target)
    Post.objects.create(title="Another", body="B")
    proxy.fault(method="POST", **LOST[fault])
    for _ in range(4):
        run_here(target)
        let_time_pass()
    assert [post["title"] for post in server.posts()].count("Another") == (fault == "reset after it arrived")
