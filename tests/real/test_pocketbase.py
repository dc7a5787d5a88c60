"""PocketBase: what is special about it. A title is given once; a second one is refused with 400."""

import pytest

from content.news.models import Post
from syncer.engine.runs import run_here
from tests.real.servers import PocketBase
from tests.real.support import LOST, ours, sync_to_rest, theirs, write
from tests.syncer.support import binding_of, let_time_pass

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,
    pytest.mark.parametrize("started", [PocketBase], indirect=True),
]


def titles(server):
    return sorted(post["title"] for post in server.posts())


def test_a_title_that_is_taken_stops_its_post_only(server, target):
    target.routes.update(existing="create")
    server.add(title="Post 2", body="Somebody else's", user_id=7)
    _, second, _ = write(3)
    sync_to_rest(target)
    assert titles(server) == ["Post 1", "Post 2", "Post 3"]
    assert (7, "Post 2", "Somebody else's") in theirs(server)
    binding = binding_of(second)
    assert binding.rejected
    assert "Value must be unique." in binding.reason


def test_a_refused_post_arrives_after_its_edit(server, target):
    target.routes.update(existing="create")
    other = server.add(title="Post 2", body="Somebody else's", user_id=7)
    _, second = write(2)
    sync_to_rest(target)
    second.title = "Post 2 b"
    second.save()
    sync_to_rest(target)
    assert titles(server) == ["Post 1", "Post 2", "Post 2 b"]
    server.remove(other)
    assert theirs(server) == ours()


def test_an_update_to_a_taken_title_is_refused_and_the_record_stays(server, target):
    first, _ = write(2)
    run_here(target)
    server.add(title="Taken", body="Somebody else's", user_id=7)
    first.title = "Taken"
    first.save()
    sync_to_rest(target)
    assert binding_of(first).rejected
    assert titles(server) == ["Post 1", "Post 2", "Taken"]


def test_a_lost_create_is_found_though_the_server_would_refuse_to_repeat_it(server, proxy, target):
    proxy.fault(method="POST", **LOST["reset after it arrived"])
    (post,) = write(1)
    run_here(target)
    let_time_pass()
    sync_to_rest(target)
    assert theirs(server) == ours()
    assert not binding_of(post).rejected
    assert [entry.status for entry in proxy.journal if entry.method == "POST"] == [None]


def test_a_404_to_the_wrong_method_makes_no_second_record(server, target):
    """PocketBase knows no PUT, and answers one for a record that is there as for one that is not."""
    target.routes.update(update="PUT")
    (post,) = write(1)
    run_here(target)
    post.title, post.body = "Another title", "Edited"
    post.save()
    for _ in range(4):
        run_here(target)
        let_time_pass()
    assert len(server.posts()) == 1
    target.routes.update(update="PATCH")
    sync_to_rest(target)
    assert theirs(server) == ours()


@pytest.mark.parametrize("fault", ["reset before it arrives", "reset after it arrived"])
def test_a_list_shorter_than_its_total_is_no_evidence_of_absence(server, proxy, target, fault):
    """A route that says nothing of pages reads the first one, whose `totalItems` says that there is more."""
    target.routes.update(paging="link", lookup=["user_id"])
    write(12)
    run_here(target)
    Post.objects.create(title="Another", body="B")
    proxy.fault(method="POST", **LOST[fault])
    for _ in range(4):
        run_here(target)
        let_time_pass()
    assert len([entry for entry in proxy.journal if entry.method == "POST"]) == 13
    assert titles(server).count("Another") == (fault == "reset after it arrived")


def test_a_title_is_free_again_after_a_delete_in_the_same_run(server, target):
    _, second = write(2)
    run_here(target)
    second.delete()
    Post.objects.create(title="Post 2", body="New")
    sync_to_rest(target)
    assert theirs(server) == ours()


def test_titles_that_move_on_by_one_arrive(server, target):
    """The first update is refused with 400 until the second has freed its title."""
    first, second, third = write(3)
    run_here(target)
    for post, title in ((third, "Post 4"), (second, "Post 3"), (first, "Post 2")):
        post.title = title
        post.save()
    sync_to_rest(target)
    assert theirs(server) == ours()
