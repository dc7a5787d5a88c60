"""What only a person can know, and the two honest ways out."""

import threading
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from backoffice.kit import clock
from content.news.models import Comment, Post
from syncer.core.decide import Claim, ClaimedBinding
from syncer.core.errors import NotPossibleError
from syncer.core.state import Question
from syncer.engine.runs import run_here
from syncer.engine.settling import commit
from syncer.models import Binding
from syncer.targets.rest import doubt
from tests.remote import Fault
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of, let_time_pass, requests
from tests.syncer.targets.rest.doubts import SENT, lose_a_create

pytestmark = pytest.mark.django_db(transaction=True)


# --- nothing else moves it --------------------------------------------------------------------------------------------
def edit(target, post):
    Post.objects.filter(pk=post.pk).update(title="C")


def delete(target, post):
    post.delete()


def retry(target, post):
    run_here(target, scope={"news.Post": [str(post.pk)]})


def retry_all(target, post):
    call_command("sync_retry", "fakeapi", stdout=StringIO())


def compare_again(target, post):
    target.routes.update(mark="", fingerprint="")


def learn_to_look_up(target, post):
    target.routes.update(lookup=["title"], key_hours=24)


def test_a_first_load_leaves_what_is_in_doubt_to_its_decision(target, doubtful):
    doubtful.delete()
    with pytest.raises(CommandError, match="say with sync_resolve whether it is there"):
        call_command("sync_import", "fakeapi")
    assert Binding.objects.get().in_doubt


@pytest.mark.parametrize("way", [edit, delete, retry, retry_all, compare_again, learn_to_look_up])
def test_nothing_but_a_decision_moves_what_is_in_doubt(target, doubtful, remote, way):
    key = str(doubtful.pk)
    way(target, doubtful)
    sync(target)
    let_time_pass()
    sync(target)
    assert requests(remote) == []
    one = Binding.objects.get(object_key=key)
    assert (one.in_doubt, one.remote_id, one.known.create_body) == (True, None, SENT)


# --- the two ways out -------------------------------------------------------------------------------------------------
def test_it_arrived_binds_the_record_and_sends_it_all_fields(target, doubtful, remote):
    target.routes.update(update="PATCH")
    before = binding_of(doubtful).wanted
    doubt.decide(binding=binding_of(doubtful), remote_id=1)
    one = binding_of(doubtful)
    assert one.wanted == before + 1
    assert (one.remote_id, one.last_remote_id, one.agreed) == ("1", "1", None)
    assert (one.create_key, one.create_body, one.create_at, one.create_path) == (None, None, None, "")
    assert (one.in_doubt, one.unconfirmed, one.reason) == (False, False, "")
    assert sync(target).message == "1 updated."
    assert [(entry.method, entry.body) for entry in remote.writes()] == [("PATCH", SENT)]
    assert len(remote.posts) == 1


def test_it_did_not_arrive_creates_it_again_with_a_new_key(target, post, remote):
    target.routes.update(lookup=[])
    lose_a_create(target, remote, act=False, kind=Fault.STATUS, status=500)
    sync(target)
    first = binding_of(post).create_key
    doubt.decide(binding=binding_of(post), remote_id=None)
    assert (binding_of(post).create_key, binding_of(post).in_doubt, binding_of(post).unconfirmed) == (
        None,
        False,
        False,
    )
    assert sync(target).message == "1 created."
    assert len(remote.posts) == 1
    assert remote.writes()[-1].headers["Idempotency-Key"] != str(first)


def test_of_an_object_that_was_deleted_here_what_arrived_is_deleted_there(target, doubtful, remote):
    key = str(doubtful.pk)
    doubtful.delete()
    doubt.decide(binding=Binding.objects.get(object_key=key), remote_id=1)
    assert sync(target).message == "1 deleted."
    assert remote.posts == {}


def test_of_an_object_that_was_deleted_here_what_did_not_arrive_sends_nothing(target, doubtful, remote):
    key = str(doubtful.pk)
    doubtful.delete()
    doubt.decide(binding=Binding.objects.get(object_key=key), remote_id=None)
    assert sync(target).state == "done"
    assert requests(remote) == []


def test_children_that_waited_go_on(target, doubtful, remote):
    Comment.objects.create(post=doubtful, name="N", email="n@example.com", body="B")
    sync(target)
    assert requests(remote) == []
    doubt.decide(binding=binding_of(doubtful), remote_id=1)
    assert sync(target).state == "done"
    assert [record["postId"] for record in remote.comments.values()] == [1]


def test_children_of_a_record_that_has_another_id_are_sent_it(target, gone, remote):
    Comment.objects.create(post=gone, name="N", email="n@example.com", body="B")
    sync(target)
    target.routes.update(update="PATCH")
    remote.store.create("posts", {"title": "by hand"})
    doubt.decide(binding=binding_of(gone), remote_id=2)
    assert sync(target).state == "done"
    assert remote.posts == {2: {"id": 2, "userId": 99999942, "title": "C", "body": "B"}}, "what it held is not known"
    assert [record["postId"] for record in remote.comments.values()] == [2]


def test_a_parent_that_waited_for_a_child_in_doubt_is_deleted(target, synced, remote):
    target.routes.update(lookup=[])
    comment = Comment.objects.create(post=synced, name="N", email="n@example.com", body="B")
    lose_a_create(target, remote, path="/comments")
    sync(target)
    one = binding_of(comment)
    synced.delete()
    remote.clear_journal()
    sync(target)
    assert requests(remote) == []
    doubt.decide(binding=one, remote_id=1)
    sync(target)
    assert requests(remote) == [("DELETE", "/comments/1"), ("DELETE", "/posts/1")]


def test_a_record_that_is_gone_is_created_again(target, gone, remote):
    one = binding_of(gone)
    assert one.reason.startswith("no longer has this record: ")
    assert one.remote_id == "1"
    assert doubt.question(one) is Question.GONE
    doubt.decide(binding=one, remote_id=None)
    assert sync(target).message == "1 created."
    assert list(remote.posts) == [2]


@pytest.mark.parametrize(("remote_id", "sent"), [(1, ["PUT"]), (None, ["POST"])])
def test_a_refused_look_up_is_decided_too(target, refused, remote, remote_id, sent):
    one = binding_of(refused)
    assert one.reason.startswith("did not settle whether a create arrived: answered 400")
    assert (one.in_doubt, doubt.question(one)) == (False, Question.CREATE)
    doubt.decide(binding=one, remote_id=remote_id)
    assert sync(target).state == "done"
    assert [method for method, _ in requests(remote)] == sent


@pytest.mark.parametrize("lookup", [[], ["title"]], ids=["in doubt", "look-up refused"])
@pytest.mark.parametrize(("remote_id", "sent"), [(1, ["PUT"]), (None, ["POST"])])
def test_a_record_that_may_be_there_unknown_to_us_is_decided_too(target, post, remote, remote_id, sent, lookup):
    target.routes.filter(model="news.Post").update(lookup=lookup)
    Binding.objects.create(route=target.routes.get(model="news.Post"), object_key=str(post.pk), look_first=True)
    remote.store.create("posts", {})
    remote.fault(Fault.STATUS, method="GET", status=400, times=2)  # to the lookup, and to the whole list
    sync(target)
    remote.clear_journal()
    one = binding_of(post)
    assert (one.in_doubt, doubt.question(one)) == (not lookup, Question.UNSEEN)
    doubt.decide(binding=one, remote_id=remote_id)
    assert sync(target).state == "done"
    assert [method for method, _ in requests(remote)] == sent


# --- what is refused --------------------------------------------------------------------------------------------------
def test_an_id_of_another_object_is_refused(target, doubtful, remote):
    other = Post.objects.create(title="other", body="B")
    sync(target)
    before = Binding.objects.values().get(object_key=str(doubtful.pk))
    with pytest.raises(NotPossibleError, match=f"2 is the record of news.Post:{other.pk} already"):
        doubt.decide(binding=binding_of(doubtful), remote_id=2)
    assert Binding.objects.values().get(object_key=str(doubtful.pk)) == before


@pytest.mark.parametrize("remote_id", [None, 5])
def test_what_is_not_in_doubt_is_not_decided(target, synced, remote, remote_id):
    Post.objects.filter(pk=synced.pk).update(title="C")
    remote.fault(Fault.STATUS, method="PUT", status=422)
    sync(target)
    before = Binding.objects.values().get()
    with pytest.raises(NotPossibleError, match="is not in doubt at Fake API"):
        doubt.decide(binding=binding_of(synced), remote_id=remote_id)
    assert Binding.objects.values().get() == before


def test_what_a_newer_edit_has_unparked_is_not_decided(target, refused):
    Binding.objects.update(wanted=9)
    assert not doubt.asked_of(target)
    with pytest.raises(NotPossibleError, match="is not in doubt"):
        doubt.decide(binding=binding_of(refused), remote_id=None)


def test_what_a_worker_may_be_sending_is_not_decided(target, doubtful):
    Binding.objects.update(lease_until=clock.now() + timedelta(seconds=50))
    with pytest.raises(NotPossibleError, match=r"A worker has news\.Post:\d+ now\. Look at it again in (50|49) s"):
        doubt.decide(binding=binding_of(doubtful), remote_id=None)


def test_a_decision_is_about_what_its_person_saw(target, doubtful):
    with pytest.raises(NotPossibleError, match="has moved on since you looked"):
        doubt.decide(binding=binding_of(doubtful), remote_id=None, seen=binding_of(doubtful).token - 1)
    doubt.decide(binding=binding_of(doubtful), remote_id=None, seen=binding_of(doubtful).token)


def test_of_two_people_one_decides(target, doubtful):
    one, answers = binding_of(doubtful), []

    def person():
        try:
            doubt.decide(binding=one, remote_id=None)
            answers.append("decided")
        except NotPossibleError as error:
            answers.append(str(error))
        connection.close()

    people = [threading.Thread(target=person) for _ in range(2)]
    for each in people:
        each.start()
    for each in people:
        each.join(120)
    assert sorted(answers)[0] == "decided"
    assert "is not in doubt" in sorted(answers)[1]


def test_a_worker_that_is_late_settles_nothing_after_a_decision(target, doubtful):
    one = binding_of(doubtful)
    late = ClaimedBinding(
        pk=one.pk, key=one.object_key, token=one.token, ends=0, known=one.known, claim=Claim(wanted=one.wanted)
    )
    doubt.decide(binding=one, remote_id=None)
    assert commit([(late, {"remote_id": "7"})]) == set()


# --- how a person says an id ------------------------------------------------------------------------------------------
TEXTS, NUMBERS, BOTH = ['"7"', '"b"'], ["7"], ['"7"', "8"]
NONE: list[str] = []


@pytest.mark.parametrize(
    ("known", "text", "means"),
    [
        *[(ids, "5", 5) for ids in (NUMBERS, BOTH, NONE)],
        (TEXTS, "5", "5"),
        (NUMBERS, ' "5" ', "5"),
        (TEXTS, '"5"', "5"),
        (NUMBERS, "a5", "a5"),
        (NUMBERS, "007", "007"),
        (NUMBERS, "-3", -3),
        (NUMBERS, '"a \\"b\\""', 'a "b"'),
        (NONE, "ü/..", "ü/.."),
    ],
    ids=range(11),
)
def test_a_number_is_meant_where_the_target_has_numbers(target, known, text, means):
    route = target.routes.get(model="news.Post")
    for number, remote_id in enumerate(known):
        Binding.objects.create(route=route, object_key=str(number), last_remote_id=remote_id)
    found = doubt.as_id(route=route, text=text)
    assert (found, type(found)) == (means, type(means))


NO_IDS = ["", " ", ".", "..", '"', '""', '"a', '"a" "b"', '"\\ud800"', "x" * 300, "9" * 300, "9" * 5000]


@pytest.mark.parametrize("text", NO_IDS, ids=range(len(NO_IDS)))
def test_what_can_not_be_an_id_is_refused(target, text):
    with pytest.raises(NotPossibleError, match="can't be a record's id"):
        doubt.as_id(route=target.routes.get(model="news.Post"), text=text)
