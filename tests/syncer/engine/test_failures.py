"""What a failure does to the objects around it. What each kind of failure means is in test_failure_table.py."""

from datetime import timedelta

import pytest

from backoffice.kit import clock
from content.news.models import Comment, Post
from syncer.engine.breaker import LONGEST_REQUEST
from syncer.models import Binding, Target
from tests.remote import Fault
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of, let_time_pass, requests

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_refused_connection_keeps_the_change_and_says_when_it_is_tried_again(target, post, remote):
    remote.stop()
    began = clock.now()
    run = sync(target)
    assert run.message.startswith("Fake API refused the connection; 1 change is kept, next try in ")
    one = binding_of(post)
    assert (one.unconfirmed, one.create_key, one.tries) == (False, None, 1)
    assert one.not_before > began
    remote.start()
    let_time_pass()
    assert sync(target).state == "done"
    assert len(remote.posts) == 1


def test_sync_now_ends_a_long_wait_but_not_before_the_request_in_question_can_have_arrived(target, synced, remote):
    Post.objects.filter(pk=synced.pk).update(title="C")
    remote.fault(Fault.STATUS, method="PUT", status=500)
    sync(target)
    Binding.objects.update(not_before=clock.now() + timedelta(hours=1))
    Target.objects.update(timeout=1)  # that request was sent with a longer one
    began = clock.now()
    remote.clear_journal()
    sync(target)
    assert requests(remote) == []
    assert began + timedelta(seconds=LONGEST_REQUEST) <= binding_of(synced).not_before
    assert binding_of(synced).not_before <= clock.now() + timedelta(seconds=LONGEST_REQUEST)


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


def test_an_update_of_a_record_that_is_gone_creates_it_again_and_updates_its_comments(target, synced, remote):
    comment = Comment.objects.create(post=synced, name="N", email="n@example.com", body="B")
    sync(target)
    remote.store.delete("posts", 1)
    Post.objects.filter(pk=synced.pk).update(title="C")
    Comment.objects.filter(pk=comment.pk).update(name="M")
    assert sync(target).state == "done"
    assert {key: record["title"] for key, record in remote.posts.items()} == {2: "C"}
    assert [(record["postId"], record["name"]) for record in remote.comments.values()] == [(2, "M")]


def test_a_permanent_refusal_rejects_that_object_and_the_others_go_on(target, post, remote):
    Post.objects.create(title="C", body="D")
    remote.fault(Fault.STATUS, method="POST", status=422, times=None, where=lambda body: body["title"] == "A")
    run = sync(target)
    assert (run.state, run.message) == ("failed", "1 created. Not delivered: 1 rejected.")
    assert [record["title"] for record in remote.posts.values()] == ["C"]
    assert "answered 422" in binding_of(post).reason
    remote.clear_journal()
    assert sync(target).message == "Not delivered: 1 rejected."
    assert requests(remote) == []


def test_what_was_in_the_way_of_a_refused_object_may_go_in_the_same_batch(target, post, remote):
    other = Post.objects.create(title="B", body="D")
    sync(target)
    Post.objects.filter(pk=post.pk).update(title="B")
    Post.objects.filter(pk=other.pk).update(title="C")
    remote.fault(Fault.STATUS, method="PUT", status=422, where=lambda body: body["title"] == "B")
    assert sync(target).state == "done"
    assert sorted(record["title"] for record in remote.posts.values()) == ["B", "C"]


def test_what_stays_refused_is_tried_once_more_and_not_after_a_later_run(target, post, remote):
    Post.objects.create(title="C", body="D")
    remote.fault(Fault.STATUS, method="POST", status=422, where=lambda body: body["title"] == "A", times=None)
    assert sync(target).message == "1 created. Not delivered: 1 rejected."
    assert [entry.body["title"] for entry in remote.journal if entry.method == "POST"].count("A") == 2
    Post.objects.create(title="E", body="D")
    remote.clear_journal()
    assert sync(target).message == "1 created. Not delivered: 1 rejected."
    assert requests(remote) == [("POST", "/posts")]


def test_a_newer_edit_tries_a_rejected_object_again(target, post, remote):
    remote.fault(Fault.STATUS, method="POST", status=422)
    sync(target)
    Post.objects.filter(pk=post.pk).update(title="better")
    assert sync(target).state == "done"
    assert [record["title"] for record in remote.posts.values()] == ["better"]


def test_a_child_waits_for_its_parent_and_its_wait_is_named(target, post, remote):
    Comment.objects.create(post=post, name="N", email="n@example.com", body="B")
    remote.fault(Fault.STATUS, method="POST", path="/posts", status=422)
    run = sync(target)
    assert run.message.endswith("Not delivered: 1 rejected, 1 waiting for another object.")
    assert remote.comments == {}
    Post.objects.filter(pk=post.pk).update(title="better")
    assert sync(target).state == "done"
    assert len(remote.comments) == 1


def test_the_records_of_a_disabled_route_are_still_parents(target, synced, remote):
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
    remote.fault(Fault.STATUS, method="POST", status=422, times=None, where=lambda body: body.get("title") == "refused")
    for post in (refused, synced):
        Comment.objects.create(post=post, name="N", email="n@example.com", body="B")
    sync(target)
    assert len(remote.comments) == 1


def test_a_refusal_with_a_nul_is_kept_without_it(target, post, remote):
    remote.fault(Fault.STATUS, method="POST", status=422, body="bad\0title")
    assert sync(target).message == "Not delivered: 1 rejected."
