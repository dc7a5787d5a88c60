"""Both sides have posts before they first meet."""

import pytest

from content.news.models import Post
from syncer.engine.runs import run_here
from syncer.models import Binding
from tests.real.servers import JsonServer, Kinto, PocketBase
from tests.real.support import LOST, ours, sync_to_rest, theirs, write
from tests.syncer.support import let_time_pass

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,
    pytest.mark.parametrize("started", [JsonServer, Kinto, PocketBase], indirect=True),
]


def both_have(server, number):
    """Write so many posts here and there, in another order."""
    posts = write(number)
    for post in reversed(posts):
        server.add(**{server.user_id: post.user_id}, title=post.title, body=post.body)
    return posts


def test_equal_posts_are_bound_and_not_sent(server, proxy, target):
    both_have(server, 12)  # on more than one page
    ids = {post["id"] for post in server.posts()}
    Post.objects.create(title="Only ours", body="B")
    server.add(**{server.user_id: 7}, title="Only theirs", body="B")
    run_here(target)
    assert [(entry.method, entry.fault) for entry in proxy.writes()] == [("POST", "")]
    assert theirs(server) == sorted([*ours(), (7, "Only theirs", "B")])
    Post.objects.filter(title="Post 2").update(body="Edited")
    Post.objects.filter(title="Post 3").delete()
    sync_to_rest(target)
    assert theirs(server) == sorted([*ours(), (7, "Only theirs", "B")])
    assert len(ids - {post["id"] for post in server.posts()}) == 1


def test_a_post_that_differs_waits_for_a_person(server, proxy, target):
    _, second = both_have(server, 2)
    Post.objects.filter(pk=second.pk).update(body="Ours")
    run_here(target)
    assert proxy.writes() == []
    assert (second.user_id, "Post 2", "Text 2") in theirs(server)
    assert Binding.objects.left(target).filter(object_key=str(second.pk)).exists()


def test_ours_is_sent_where_the_route_says_so(server, target):
    target.routes.update(existing="overwrite")
    _, second = both_have(server, 2)
    Post.objects.filter(pk=second.pk).update(body="Ours")
    sync_to_rest(target)
    assert theirs(server) == ours()


@pytest.mark.parametrize("fault", ["reset after it arrived", "502 after it arrived"])
def test_a_list_that_is_lost_adopts_nothing_and_makes_nothing(server, proxy, target, fault):
    both_have(server, 2)
    proxy.fault(method="GET", **LOST[fault])
    run_here(target)
    assert proxy.writes() == []
    let_time_pass()
    sync_to_rest(target)
    assert proxy.writes() == []
    assert theirs(server) == ours()
