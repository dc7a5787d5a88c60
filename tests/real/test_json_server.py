"""json-server 0.17: what is special about it."""

import pytest

from content.news.models import Comment, Post
from syncer.engine.runs import run_here
from syncer.targets.rest.first_load import load_target
from tests.real.servers import JsonServer
from tests.real.support import ours, sync_to_rest, theirs, write

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
