"""Kinto: what is special about it. It has ETags, and ids that we give."""

import pytest

from content.news.models import Post
from syncer.engine.runs import run_here
from syncer.models import Binding
from tests.real.servers import Kinto, KintoOurIds
from tests.real.support import LOST, ours, sync_to_rest, theirs, write
from tests.syncer.support import binding_of, let_time_pass

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite]
any_ids = pytest.mark.parametrize("started", [Kinto, KintoOurIds], indirect=True)
our_ids = pytest.mark.parametrize("started", [KintoOurIds], indirect=True)


@any_ids
def test_an_edit_of_somebody_else_is_not_overwritten(server, proxy, target):
    (post,) = write(1)
    run_here(target)
    server.change(server.posts()[0], body="Somebody else's")
    post.body = "Ours"
    post.save()
    run_here(target)
    assert [entry.method for entry in proxy.writes() if entry.applied] == [server.create]
    assert [record["body"] for record in server.posts()] == ["Somebody else's"]
    assert Binding.objects.left(target).filter(object_key=str(post.pk)).exists()


@any_ids
def test_a_record_that_somebody_else_edited_is_not_deleted(server, proxy, target):
    (post,) = write(1)
    run_here(target)
    server.change(server.posts()[0], body="Somebody else's")
    post.delete()
    run_here(target)
    assert [entry.method for entry in proxy.writes() if entry.applied] == [server.create]
    assert len(server.posts()) == 1


@any_ids
def test_our_own_lost_update_is_not_taken_for_somebody_elses_edit(server, proxy, target):
    """The update has changed the ETag, which its answer would have named: the next one is refused with 412."""
    (post,) = write(1)
    run_here(target)
    proxy.fault(method="PUT", **LOST["reset after it arrived"])
    for body in ("Edited", "Edited again"):
        post.body = body
        post.save()
        run_here(target)
        let_time_pass()
    sync_to_rest(target)
    assert theirs(server) == ours()


@any_ids
@pytest.mark.parametrize("title", ["5", "true", '"quoted"'])
def test_a_title_that_reads_as_another_type_is_found_again(server, proxy, target, title):
    """The value of a filter is read as JSON: `?title=5` looks for the number, and lists nothing."""
    Post.objects.create(title=title, body="B")
    proxy.fault(method=server.create, **LOST["reset after it arrived"])
    run_here(target)
    let_time_pass()
    sync_to_rest(target)
    assert theirs(server) == ours()


@our_ids
def test_records_have_our_ids(server, target):
    posts = write(3)
    run_here(target)
    assert {record["id"] for record in server.posts()} == {str(post.pk) for post in posts}


@our_ids
def test_a_record_of_somebody_else_under_our_id_is_not_overwritten(server, proxy, target):
    post = Post.objects.create(title="Ours", body="B")
    server.add(id=str(post.pk), user_id=7, title="Somebody else's", body="C")
    run_here(target)
    assert theirs(server) == [(7, "Somebody else's", "C")]
    assert Binding.objects.left(target).filter(object_key=str(post.pk)).exists()


@our_ids
def test_an_equal_record_under_our_id_is_adopted(server, target):
    post = Post.objects.create(title="A", body="B")
    server.add(id=str(post.pk), user_id=post.user_id, title="A", body="B")
    sync_to_rest(target)
    assert theirs(server) == ours()
    assert binding_of(post).remote_id == f'"{post.pk}"'


@our_ids
def test_a_record_deleted_there_is_made_again_under_its_id(server, target):
    (post,) = write(1)
    run_here(target)
    server.remove(server.posts()[0])
    post.body = "Edited"
    post.save()
    sync_to_rest(target)
    assert theirs(server) == ours()
    assert [record["id"] for record in server.posts()] == [str(post.pk)]
