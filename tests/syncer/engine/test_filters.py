"""Which objects travel: a route's filter, and what hangs under what it lets through."""

import pytest

from content.news.models import Comment, Post
from syncer.models import Route
from tests.syncer.conftest import sync

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def chosen(target):
    """Only the posts of user 5 travel."""
    Route.objects.filter(target=target, model="news.Post").update(filter={"user_id": 5})
    return target


def make(user_id):
    post = Post.objects.create(title=f"by {user_id}", body="B", user_id=user_id)
    Comment.objects.create(post=post, name=f"on {user_id}", email="n@example.com", body="B")
    return post


def held(remote):
    return [record["title"] for record in remote.posts.values()], [
        record["name"] for record in remote.comments.values()
    ]


def test_what_does_not_pass_the_filter_stays_with_all_that_hangs_under_it(remote, chosen):
    make(5)
    make(6)
    assert sync(chosen).state == "done"
    assert held(remote) == (["by 5"], ["on 5"])


def test_what_passes_no_more_is_deleted_after_its_children(remote, chosen):
    post = make(5)
    sync(chosen)
    remote.clear_journal()
    Post.objects.filter(pk=post.pk).update(user_id=6)
    assert sync(chosen).state == "done"
    assert [entry.path for entry in remote.writes()] == ["/comments/1", "/posts/1"]


def test_what_passes_again_comes_back_with_its_children(remote, chosen):
    post = make(6)
    sync(chosen)
    Post.objects.filter(pk=post.pk).update(user_id=5)
    assert sync(chosen).state == "done"
    assert held(remote) == (["by 6"], ["on 6"])


@pytest.mark.parametrize(("user_ids", "titles"), [({}, ["by 5", "by 6"]), ({"user_id": 6}, ["by 6"])])
def test_another_filter_plans_everything_again_with_the_children(remote, chosen, user_ids, titles):
    make(5)
    make(6)
    sync(chosen)
    Route.objects.filter(target=chosen, model="news.Post").update(filter=user_ids)
    assert sync(chosen).state == "done"
    assert sorted(held(remote)[0]) == titles
    assert sorted(held(remote)[1]) == [title.replace("by", "on") for title in titles]
