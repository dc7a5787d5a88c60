"""Creates that are sent again under their key: law 3 where the target honors the `Idempotency-Key`."""

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models import F

from backoffice.kit import clock
from content.news.models import Comment, Post
from syncer.core.decide import Action, Delivery
from syncer.engine.claims import claim
from syncer.engine.plan import plan
from syncer.models import Binding, Target
from syncer.models.routemap import RouteMap
from syncer.recovery.erasure import Erased, erase_objects
from syncer.reports.preview import preview
from syncer.targets.base import Step
from syncer.targets.rest.deliver import _commit_first
from syncer.targets.rest.endpoint import terms_of
from tests.flows.worker import ROOT, database_url
from tests.remote import Fault, Tokens
from tests.syncer.conftest import sync
from tests.syncer.support import LOST, binding_of, let_time_pass, name_of, requests
from tools.lifeline import tied

pytestmark = pytest.mark.django_db(transaction=True)

BODY = {"userId": 99999942, "title": "A", "body": "B"}


@pytest.fixture(autouse=True)
def honored(target, remote):
    """The target remembers keys for a day, and has no other way to find a record again."""
    remote.honor_keys()
    target.routes.update(key_hours=24, lookup=[])


@pytest.fixture
def lost(target, post, remote):
    """The post's create was carried out, and its answer was lost."""
    remote.fault(Fault.RESET, method="POST", act=True)
    assert sync(target).state == "failed"
    let_time_pass()
    return post


def creates(remote):
    """`[(path, key, bytes)]` of every POST whose body arrived."""
    posts = [entry for entry in remote.writes() if entry.method == "POST" and entry.raw]
    return [(entry.path, entry.headers["Idempotency-Key"], entry.raw) for entry in posts]


def forget(hours):
    """As if the creates had been sent that long ago."""
    Binding.objects.update(create_at=F("create_at") - timedelta(hours=hours))


# --- the same again ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("fault", LOST, ids=name_of)
def test_a_create_whose_answer_was_lost_is_sent_again_the_same_to_the_byte(target, post, remote, fault):
    remote.fault(method="POST", **fault)
    assert sync(target).state == "failed"
    let_time_pass()
    run = sync(target)
    assert (run.state, run.message) == ("done", "1 created.")
    assert requests(remote) == [("POST", "/posts")] * 2
    assert len({entry.headers["Idempotency-Key"] for entry in remote.writes()}) == 1
    assert {raw for *_, raw in creates(remote)} == {json.dumps(binding_of(post).agreed).encode()}
    assert list(remote.posts.values()) == [{"id": 1, **BODY}]
    assert (binding_of(post).remote_id, binding_of(post).create_key) == ("1", None)


def test_the_key_stays_until_the_answer_is_known(target, post, remote):
    for fault in ({"kind": Fault.RESET, "act": True}, {"kind": Fault.STATUS, "status": 500}):
        remote.fault(method="POST", **fault)
    for status in (429, 401, 409, 503):
        remote.fault(Fault.STATUS, method="POST", status=status)
    for _ in range(6):
        assert sync(target).state == "failed"
        assert binding_of(post).create_key is not None
        let_time_pass()
    assert sync(target).state == "done"
    assert len(set(creates(remote))) == 1
    assert (len(creates(remote)), len(remote.posts)) == (7, 1)


def test_a_create_that_was_refused_has_a_new_key_when_it_is_tried_later(target, post, remote):
    for status in (429, 401, 408):
        remote.fault(Fault.STATUS, method="POST", status=status)
    for _ in range(3):
        assert sync(target).state == "failed"
        assert binding_of(post).create_key is None
        let_time_pass()
    assert sync(target).state == "done"
    assert len({key for _, key, _ in creates(remote)}) == 4
    assert len(remote.posts) == 1


def test_a_record_that_is_created_again_has_a_new_key(target, post, remote):
    sync(target)
    remote.store.delete("posts", 1)
    Post.objects.filter(pk=post.pk).update(title="C")
    sync(target)
    first, second = creates(remote)
    assert first[1] != second[1]
    assert list(remote.posts) == [2]


def test_a_newer_edit_follows_as_an_update(target, lost, remote):
    Post.objects.filter(pk=lost.pk).update(title="C")
    assert sync(target).state == "done"
    assert requests(remote) == [("POST", "/posts"), ("POST", "/posts"), ("PUT", "/posts/1")]
    assert len(set(creates(remote))) == 1
    assert remote.posts[1]["title"] == "C"


@pytest.mark.parametrize("act", [True, False])
def test_what_was_deleted_meanwhile_is_sent_again_and_then_deleted(target, post, remote, act):
    remote.fault(Fault.STATUS, method="POST", status=500, act=act)
    sync(target)
    post.delete()
    let_time_pass()
    assert sync(target).state == "done"
    assert requests(remote) == [("POST", "/posts"), ("POST", "/posts"), ("DELETE", "/posts/1")]
    assert remote.posts == {}


def test_a_child_is_sent_again_to_where_it_was_sent_under_its_parents_id_as_it_was(target, post, remote):
    target.routes.filter(model="news.Comment").update(create_path="/posts/{post}/comments")
    sync(target)
    comment = Comment.objects.create(post=post, name="N", email="n@example.com", body="B")
    remote.fault(Fault.RESET, method="POST", act=True)
    sync(target)
    remote.store.cascade = False
    remote.store.delete("posts", 1)
    Post.objects.filter(pk=post.pk).update(title="C")
    let_time_pass()
    remote.clear_journal()
    assert sync(target).state == "done"
    of_comments = [(method, path) for method, path in requests(remote) if "comments" in path]
    assert of_comments == [("POST", "/posts/1/comments"), ("PUT", "/comments/1")]
    assert json.loads(creates(remote)[1][2])["postId"] == 1
    assert [record["postId"] for record in remote.comments.values()] == [2]
    assert binding_of(comment).parent == binding_of(post)


def test_a_preview_shows_what_would_be_sent_again(target, lost):
    Post.objects.filter(pk=lost.pk).update(title="C")
    (planned,) = preview(target)
    assert (planned.action, planned.fields["title"]) == (Action.REPLAY, (None, "A"))


@pytest.mark.postgres
def test_what_leaves_is_what_the_row_holds_however_the_database_writes_it(target, post):
    routes = RouteMap(target)
    route = routes.parents_first[0]
    plan(routes, route)
    (binding,) = claim(routes, Step(route=route), keys=None, limit=1, lease=60)
    sent = {"ratio": 1e16, "a": -0.0}
    (kept,) = _commit_first(
        [Delivery(binding=binding, action=Action.CREATE, sent=sent, create_path="/posts", key=uuid4())],
        terms_of(route),
    )
    assert json.dumps(kept.sent) == json.dumps(binding_of(post).create_body) != json.dumps(sent)


# --- where the key does not help --------------------------------------------------------------------------------------
@pytest.mark.parametrize(("hours", "asked"), [(21, ("POST", "/posts")), (22, ("GET", "/posts"))])
def test_a_key_that_the_target_may_have_forgotten_is_not_sent_again(target, lost, remote, hours, asked):
    target.routes.update(lookup=["title"])
    forget(hours)  # 0.9 of 24 hours is 21.6
    assert sync(target).state == "done"
    assert requests(remote)[1] == asked
    assert len(remote.posts) == 1


def test_a_forgotten_key_without_a_lookup_is_in_doubt(target, lost, remote):
    forget(22)
    assert sync(target).message == "Not delivered: 1 in doubt."
    assert len(creates(remote)) == 1


def test_a_first_request_that_is_still_being_processed_is_waited_for(target, lost, remote):
    remote.fault(Fault.STATUS, method="POST", status=409)
    began = clock.now()
    sync(target)
    one = binding_of(lost)
    assert (one.rejected, one.in_doubt, one.tries) == (None, False, 2)
    assert one.not_before > began
    let_time_pass()
    assert sync(target).state == "done"
    assert len(remote.posts) == 1


def refuse(target, post, remote):
    """The target says that the key came with another body."""
    key = binding_of(post).create_key
    remote.api.keys._kept[("/posts", str(key))] = (b"other", None, 0.0)
    return sync(target)


def test_a_refused_replay_is_parked_and_says_what_was_asked(target, lost, remote):
    assert refuse(target, lost, remote).message == "Not delivered: 1 rejected."
    one = binding_of(lost)
    assert one.reason.startswith("did not settle whether a create arrived: answered 422: ")
    assert (one.create_body, one.unconfirmed) == (BODY, True)
    remote.clear_journal()
    sync(target)
    assert requests(remote) == []


@pytest.mark.parametrize(("act", "left"), [(True, ["PUT"]), (False, ["GET", "POST"])])
def test_after_a_refused_replay_an_edit_looks_the_record_up(target, post, remote, act, left):
    target.routes.update(lookup=["userId"])
    remote.fault(Fault.STATUS, method="POST", status=500, act=act)
    sync(target)
    let_time_pass()
    refuse(target, post, remote)
    Post.objects.filter(pk=post.pk).update(title="C")
    remote.clear_journal()
    assert sync(target).state == "done"
    assert [method for method, _ in requests(remote)] == ["GET", *left]
    assert [record["title"] for record in remote.posts.values()] == ["C"]


def test_after_a_refused_replay_an_edit_without_a_lookup_is_in_doubt(target, lost, remote):
    refuse(target, lost, remote)
    Post.objects.filter(pk=lost.pk).update(title="C")
    assert sync(target).message == "Not delivered: 1 in doubt."
    assert len(creates(remote)) == 2


def test_a_create_after_a_refused_one_is_sent_again_under_its_key(target, post, remote):
    remote.fault(Fault.STATUS, method="POST", status=422)
    sync(target)
    Post.objects.filter(pk=post.pk).update(title="C")
    remote.fault(Fault.RESET, method="POST", act=True)
    sync(target)
    let_time_pass()
    assert sync(target).state == "done"
    refused, first, second = creates(remote)
    assert refused != first == second
    assert len(remote.posts) == 1


def test_an_answer_with_an_id_that_is_bound_already_leaves_the_create_unanswered(target, post, remote):
    target.routes.update(lookup=["title"])
    remote.fault(Fault.RESET, method="POST", act=True)
    sync(target)
    other = Post.objects.create(title="other", body="B")
    sync(target)
    assert binding_of(other).remote_id == "2"
    remote.fault(Fault.FIXED_ID, method="POST", fixed_id=2)
    let_time_pass()
    sync(target)
    one = binding_of(post)
    assert (one.remote_id, one.create_body, one.unconfirmed) == (None, BODY, True)
    assert "which another object's record has already" in one.reason
    Post.objects.filter(pk=post.pk).update(title="C")
    assert sync(target).state == "done"
    assert {key: record["title"] for key, record in remote.posts.items()} == {1: "C", 2: "other"}


@pytest.mark.parametrize(("lookup", "asked", "doubtful"), [(["userId"], ["GET"], False), (["title"], [], True)])
def test_words_that_were_erased_are_never_sent_again(target, lost, remote, lookup, asked, doubtful):
    target.routes.update(lookup=lookup)
    with transaction.atomic():
        erase_objects(Erased(model=Post, keys=Post.objects.filter(pk=lost.pk), fields={"title", "body"}))
    one = binding_of(lost)
    assert (one.create_body, one.create_at, one.create_path) == ({"userId": 99999942}, None, "")
    remote.clear_journal()
    sync(target)
    assert [method for method, _ in requests(remote)][:1] == asked
    assert binding_of(lost).in_doubt is doubtful


# --- workers that die, and late ones ----------------------------------------------------------------------------------
LINES = {
    "committed, not sent": ("/token/", True),
    "sent, not carried out": ("/posts", False),
    "carried out, not settled": ("/posts", True),
}


@pytest.mark.parametrize("line", LINES)
def test_a_worker_that_dies_is_taken_over_and_makes_one_record(target, post, remote, line, monkeypatch):
    monkeypatch.setenv("SYNC_PASSWORD", "the-password")
    remote.require(Tokens("editor", "the-password"))
    type(target).objects.update(auth="jwt", auth_user="editor", auth_secret="env:SYNC_PASSWORD", auth_url="/token/")
    path, act = LINES[line]
    with remote.hold("POST", path, act=act) as held:
        command = [sys.executable, "manage.py", "sync_now", "fakeapi"]
        with subprocess.Popen(**tied(command), cwd=ROOT, env={**os.environ, "DATABASE_URL": database_url()}) as worker:
            try:
                held.wait_arrived(120)
            finally:
                worker.send_signal(signal.SIGKILL)
    one = binding_of(post)
    assert (one.create_body, one.unconfirmed) == (BODY, True)
    assert one.lease_until > clock.now()
    Binding.objects.update(lease_until=clock.now())
    target.refresh_from_db()
    assert sync(target).state == "done"
    assert {key for _, key, _ in creates(remote)} == {str(one.create_key)}
    assert list(remote.posts.values()) == [{"id": 1, **BODY}]


@pytest.mark.parametrize("act", [True, False], ids=["carried out", "not yet carried out"])
def test_a_late_worker_settles_nothing_and_makes_no_second_record(target, post, remote, act):
    def worker():
        sync(target)
        connection.close()

    with remote.hold("POST", "/posts", act=act) as held:
        late = threading.Thread(target=worker)
        late.start()
        held.wait_arrived()
        Binding.objects.update(lease_until=clock.now())
        Post.objects.filter(pk=post.pk).update(title="C")
        assert sync(target).state == "done"
        settled = Binding.objects.values().get()
    late.join(120)
    assert Binding.objects.values().get() | {"wanted": 0} == settled | {"wanted": 0}
    assert len(set(creates(remote))) == 1
    assert [record["title"] for record in remote.posts.values()] == ["C"]


@pytest.mark.parametrize("changed", [{"auth_user": "other"}, {"auth_secret": "env:SYNC_OTHER"}, {"url": None}])
def test_a_key_is_not_sent_again_to_another_address_or_by_another_user(target, post, remote, monkeypatch, changed):
    """Keys are remembered for each user apart: to another one the create would be a new one."""
    for name in ("SYNC_ONE", "SYNC_OTHER"):
        monkeypatch.setenv(name, "password-of-a-user")
    Target.objects.update(auth="basic", auth_user="one", auth_secret="env:SYNC_ONE")
    remote.fault(Fault.RESET, method="POST", act=True)
    assert sync(Target.objects.get()).state == "failed"
    let_time_pass()
    if "url" in changed:
        changed = {"url": remote.url.replace("127.0.0.1", "localhost")}
    Target.objects.update(**changed)
    remote.clear_journal()
    sync(Target.objects.get())
    assert requests(remote) == []
    assert binding_of(post).in_doubt
