"""What happens when the target fails, by kind of failure: docs/architecture.md, "Failure"."""

import pytest

from backoffice.kit import clock
from content.news.models import Comment, Post
from tests.remote import Fault
from tests.syncer.conftest import sync
from tests.syncer.support import LOST, binding, let_time_pass, name_of, requests

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_refused_connection_keeps_the_change_and_says_when_it_is_tried_again(target, post, remote):
    remote.stop()
    run = sync(target)
    assert run.message.startswith("Fake API refused the connection; 1 change is kept, next try in ")
    one = binding(post)
    assert (one.unsettled, one.create_key, one.tries) == (False, None, 1)
    assert one.not_before > clock.now()
    remote.start()
    let_time_pass()
    assert sync(target).state == "done"
    assert len(remote.posts) == 1


@pytest.mark.parametrize("status", [408, 425, 429])
def test_a_retryable_answer_is_tried_again_later(target, post, remote, status):
    remote.fault(Fault.STATUS, status=status)
    assert sync(target).state == "failed"
    let_time_pass()
    assert sync(target).state == "done"
    assert len(remote.posts) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_makes_the_whole_target_wait(target, post, remote, status):
    remote.fault(Fault.STATUS, status=status, retry_after=120)
    sync(target)
    Post.objects.create(title="C", body="D")
    remote.clear_journal()
    run = sync(target)
    assert requests(remote) == []
    assert "changes are kept, next try in 1" in run.message
    let_time_pass()
    assert sync(target).state == "done"
    assert len(remote.posts) == 2


@pytest.mark.parametrize("fault", LOST, ids=name_of)
def test_an_update_whose_answer_was_lost_is_sent_again(target, synced, remote, fault):
    Post.objects.filter(pk=synced.pk).update(title="C")
    remote.fault(method="PUT", **fault)
    assert sync(target).state == "failed"
    let_time_pass()
    assert sync(target).state == "done"
    assert requests(remote) == [("PUT", "/posts/1"), ("PUT", "/posts/1")]
    assert remote.posts[1]["title"] == "C"


@pytest.mark.parametrize("update", ["PUT", "PATCH"])
def test_an_undo_after_an_unknown_update_is_sent(target, synced, remote, update):
    target.routes.update(update=update)
    Post.objects.filter(pk=synced.pk).update(title="C")
    remote.fault(Fault.RESET, method=update, act=True)
    sync(target)
    Post.objects.filter(pk=synced.pk).update(title="A")
    let_time_pass()
    sync(target)
    assert remote.posts[1]["title"] == "A"


def test_a_patch_carries_what_changed(target, synced, remote):
    target.routes.update(update="PATCH")
    Post.objects.filter(pk=synced.pk).update(title="C")
    sync(target)
    assert [entry.body for entry in remote.writes()] == [{"title": "C"}]


@pytest.mark.parametrize("fault", LOST, ids=name_of)
def test_a_delete_whose_answer_was_lost_is_sent_again(target, synced, remote, fault):
    synced.delete()
    remote.fault(method="DELETE", **fault)
    assert sync(target).state == "failed"
    let_time_pass()
    assert sync(target).state == "done"
    assert remote.posts == {}


@pytest.mark.parametrize("status", [404, 410])
def test_a_delete_of_what_is_gone_is_done(target, synced, remote, status):
    synced.delete()
    remote.fault(Fault.STATUS, method="DELETE", status=status)
    assert sync(target).state == "done"


def test_an_update_of_what_is_gone_makes_it_anew_and_tells_its_comments(target, synced, remote):
    comment = Comment.objects.create(post=synced, name="N", email="n@example.com", body="B")
    sync(target)
    remote.store.delete("posts", 1)
    Post.objects.filter(pk=synced.pk).update(title="C")
    Comment.objects.filter(pk=comment.pk).update(name="M")
    assert sync(target).state == "done"
    assert {key: record["title"] for key, record in remote.posts.items()} == {2: "C"}
    assert [(record["postId"], record["name"]) for record in remote.comments.values()] == [(2, "M")]


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_permanent_refusal_parks_that_one_and_the_others_go_on(target, post, remote, status):
    Post.objects.create(title="C", body="D")
    remote.fault(Fault.STATUS, method="POST", status=status, where=lambda body: body["title"] == "A")
    run = sync(target)
    assert (run.state, run.message) == ("failed", "1 created. Not delivered: 1 parked.")
    assert [record["title"] for record in remote.posts.values()] == ["C"]
    assert f"answered {status}" in binding(post).reason
    remote.clear_journal()
    assert sync(target).message == "Not delivered: 1 parked."
    assert requests(remote) == []


def test_a_newer_edit_unparks(target, post, remote):
    remote.fault(Fault.STATUS, method="POST", status=422)
    sync(target)
    Post.objects.filter(pk=post.pk).update(title="better")
    assert sync(target).state == "done"
    assert [record["title"] for record in remote.posts.values()] == ["better"]


def test_a_child_waits_for_its_parent_and_its_wait_is_named(target, post, remote):
    Comment.objects.create(post=post, name="N", email="n@example.com", body="B")
    remote.fault(Fault.STATUS, method="POST", path="/posts", status=422)
    run = sync(target)
    assert run.message.endswith("Not delivered: 1 parked, 1 waiting for another object.")
    assert remote.comments == {}
    Post.objects.filter(pk=post.pk).update(title="better")
    assert sync(target).state == "done"
    assert len(remote.comments) == 1


@pytest.mark.parametrize(
    ("kind", "more"), [(Fault.STATUS, {"status": 401}), (Fault.STATUS, {"status": 403}), (Fault.REDIRECT, {})]
)
def test_a_wrong_setting_pauses_the_target_and_burns_nothing(target, post, remote, kind, more):
    remote.fault(kind, **more)
    run = sync(target)
    assert run.message.startswith("Paused: Fake API answered")
    assert (binding(post).tries, binding(post).parked) == (0, None)
    assert sync(target).state == "done"


def test_a_parents_route_that_is_off_still_tells_its_records_ids(target, synced, remote):
    target.routes.filter(model="news.Post").update(enabled=False)
    Comment.objects.create(post=synced, name="N", email="n@example.com", body="B")
    unsent = Post.objects.create(title="C", body="D")
    Comment.objects.create(post=unsent, name="waits", email="n@example.com", body="B")
    sync(target)
    assert [(record["postId"], record["name"]) for record in remote.comments.values()] == [(1, "N")]


def test_a_child_whose_parent_has_no_route_waits(target, synced, remote):
    target.routes.filter(model="news.Post").delete()
    Comment.objects.create(post=synced, name="N", email="n@example.com", body="B")
    assert "1 waiting for another object" in sync(target).message


def test_those_that_wait_do_not_stand_in_the_way_of_the_others(target, synced, remote, settings):
    settings.SYNC_BATCH = 1
    refused = Post.objects.create(title="refused", body="B")
    remote.fault(Fault.STATUS, method="POST", status=422, where=lambda body: body.get("title") == "refused")
    for post in (refused, synced):
        Comment.objects.create(post=post, name="N", email="n@example.com", body="B")
    sync(target)
    assert len(remote.comments) == 1


def test_a_refusal_with_a_nul_is_kept_without_it(target, post, remote):
    remote.fault(Fault.STATUS, method="POST", status=422, body="bad\0title")
    assert sync(target).message == "Not delivered: 1 parked."
