"""Law 3: a create is never sent twice on a guess. What is done where its answer was lost, or can't be true."""

from datetime import timedelta

import pytest
from django.db.models import F

from content.news.models import Comment, Post
from syncer.models import Binding
from tests.remote import Fault
from tests.syncer.conftest import sync
from tests.syncer.support import LOST, UNREADABLE, binding_of, let_time_pass, name_of, requests

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("fault", LOST, ids=name_of)
def test_a_create_whose_answer_was_lost_is_looked_up_before_it_is_repeated(target, post, remote, fault):
    remote.fault(method="POST", **fault)
    assert sync(target).state == "failed"
    assert binding_of(post).create_body == {"userId": 99999942, "title": "A", "body": "B"}
    let_time_pass()
    assert sync(target).state == "done"
    assert requests(remote)[1] == ("GET", "/posts")
    assert len(remote.posts) == 1
    assert binding_of(post).create_key is None


@pytest.mark.parametrize("fault", UNREADABLE, ids=name_of)
def test_a_create_that_was_carried_out_without_a_word_of_its_id_is_looked_up_at_once(target, post, remote, fault):
    remote.fault(method="POST", **fault)
    assert sync(target).state == "done"
    assert (binding_of(post).remote_id, len(remote.posts)) == ("1", 1)
    # Before a page is believed to be the answer to a create, the list must answer as the API does.
    evidence = ["GET"] if fault["kind"] is Fault.HTML else []
    assert [method for method, _ in requests(remote)] == ["POST", *evidence, "GET", "PUT"]


@pytest.mark.parametrize("has_lookup", [True, False])
def test_a_create_that_was_accepted_and_is_listed_nowhere_is_never_sent_again(target, post, remote, has_lookup):
    if not has_lookup:
        target.routes.update(lookup=[])
    remote.fault(Fault.STATUS, method="POST", status=202, act=False)
    assert sync(target).state == "failed"
    for _ in range(3):
        let_time_pass()
        sync(target)
    assert (binding_of(post).in_doubt, binding_of(post).made) == (not has_lookup, True)
    Binding.objects.filter(create_at__isnull=False).update(create_at=F("create_at") - timedelta(hours=1))
    let_time_pass()
    sync(target)
    assert binding_of(post).in_doubt
    assert len(remote.writes()) == 1


def test_an_unknown_create_is_not_repeated_before_a_straggler_has_died(target, post, remote):
    remote.fault(Fault.RESET, method="POST", act=True)
    sync(target)
    remote.clear_journal()
    sync(target)
    assert requests(remote) == []


def test_an_edit_after_an_unknown_create_is_sent_as_an_update(target, post, remote):
    remote.fault(Fault.RESET, method="POST", act=True)
    sync(target)
    Post.objects.filter(pk=post.pk).update(title="C")
    let_time_pass()
    sync(target)
    assert [record["title"] for record in remote.posts.values()] == ["C"]


def test_a_create_that_was_lost_and_then_deleted_here_leaves_nothing_there(target, post, remote):
    remote.fault(Fault.RESET, method="POST", act=True)
    sync(target)
    post.delete()
    let_time_pass()
    assert sync(target).state == "done"
    assert remote.posts == {}


def test_a_parent_is_not_deleted_while_a_child_may_have_been_made(target, synced, remote):
    Comment.objects.create(post=synced, name="N", email="n@example.com", body="B")
    remote.fault(Fault.RESET, method="POST", path="/comments", act=True)
    sync(target)
    synced.delete()
    remote.clear_journal()
    sync(target)
    assert requests(remote) == []
    let_time_pass()
    sync(target)
    assert [method for method, _ in requests(remote)] == ["GET", "DELETE", "DELETE"]
    assert requests(remote)[1:] == [("DELETE", "/comments/1"), ("DELETE", "/posts/1")]


def test_a_lookup_takes_no_record_that_is_bound(target, synced, remote):
    twin = Post.objects.create(title="A", body="B")
    remote.fault(Fault.RESET, method="POST", act=False)
    sync(target)
    let_time_pass()
    assert sync(target).state == "done"
    assert (binding_of(synced).remote_id, binding_of(twin).remote_id) == ("1", "2")


def test_a_lookup_compares_every_field(target, remote):
    first, second = (Post.objects.create(title="A", body="B") for _ in range(2))
    remote.fault(Fault.RESET, method="POST", act=False, times=2)
    sync(target)
    remote.store.create("posts", {"userId": 99999942, "title": "A", "body": "other"})
    let_time_pass()
    sync(target)
    for post in (first, second):  # somebody else's record fits the lookup and differs: it may be what became of ours
        assert binding_of(post).in_doubt
        assert [kept["id"] for kept in binding_of(post).candidates] == ["1"]
    assert len(remote.posts) == 1


def test_several_candidates_are_in_doubt(target, post, remote):
    remote.fault(Fault.RESET, method="POST", act=True)
    sync(target)
    remote.store.create("posts", {"userId": 99999942, "title": "A", "body": "B"})
    let_time_pass()
    run = sync(target)
    assert binding_of(post).in_doubt
    assert "2 possible matches at the target" in binding_of(post).reason
    assert run.message.endswith("Not delivered: 1 in doubt.")


def test_without_a_lookup_an_unknown_create_is_in_doubt(target, post, remote):
    target.routes.update(lookup=[])
    remote.fault(Fault.RESET, method="POST", act=True)
    sync(target)
    let_time_pass()
    sync(target)
    assert binding_of(post).in_doubt
    assert len(remote.writes()) == 1


def test_an_answer_with_an_id_that_is_bound_already_is_rejected(target, remote):
    remote.fault(Fault.FIXED_ID, method="POST", times=None)
    for title in "AC":
        Post.objects.create(title=title, body="B")
    run = sync(target)
    assert run.message.endswith("Not delivered: 1 rejected.")
    assert "which another object's record has already" in Binding.objects.get(rejected__isnull=False).reason


def test_a_lookup_reads_every_page(target, post, remote):
    remote.page(1)
    target.routes.update(items_field="items", next_field="next")
    for number in range(3):
        remote.store.create("posts", {"userId": 99999942, "title": "A", "body": f"other {number}"})
    remote.fault(Fault.RESET, method="POST", act=True)
    sync(target)
    let_time_pass()
    assert sync(target).state == "done"
    assert binding_of(post).remote_id == "4"


def test_a_lookup_goes_by_what_the_create_sent_whatever_the_route_says_now(target, post, remote):
    remote.fault(Fault.RESET, method="POST", act=True)
    sync(target)
    fields = {"user": "user_id", "headline": "title", "body": "body"}
    target.routes.filter(model="news.Post").update(fields=fields, lookup=["headline"])
    let_time_pass()
    sync(target)
    assert requests(remote)[1] == ("GET", "/posts")
    assert len(remote.posts) == 1


def test_pages_in_a_circle_park_the_lookup(target, post, remote):
    target.routes.update(items_field="items", next_field="next")
    remote.fault(Fault.RESET, method="POST", act=True)
    sync(target)
    let_time_pass()
    remote.fault(Fault.STATUS, method="GET", status=200, body={"items": [], "next": "a"}, times=None)
    sync(target)
    assert binding_of(post).reason == "did not settle whether a create arrived: lists its pages in a circle"
    assert len(requests(remote)) < 5


@pytest.mark.parametrize("remote_id", ["", "x" * 300, "\ud800", "..", None], ids=range(5))
def test_an_id_that_no_binding_or_address_can_hold_is_not_an_answer(target, post, remote, remote_id):
    remote.fault(Fault.FIXED_ID, method="POST", fixed_id=remote_id, act=True)
    sync(target)
    assert (binding_of(post).remote_id, len(remote.posts)) == ("1", 1)
