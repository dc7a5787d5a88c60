"""What only a person can know, and the two honest ways out: the service, the page, the command."""

import json
import logging
import threading
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.kit import clock
from content.news.models import Comment, Post
from syncer.core.decide import Claim, ClaimedBinding
from syncer.core.errors import NotPossibleError
from syncer.core.state import Question, State
from syncer.engine.runs import run_here, work
from syncer.engine.settling import write
from syncer.models import Binding, Run
from syncer.targets.rest import doubt
from tests.content.pages import administrator, form_of, sign_in
from tests.remote import Fault
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of, let_time_pass, requests

pytestmark = pytest.mark.django_db(transaction=True)

SYNC = "syncer.sync_target"
SENT = {"userId": 99999942, "title": "A", "body": "B"}
SAME = {name: {"ours": value, "theirs": value, "differs": False} for name, value in SENT.items()}


def lose_a_create(target, remote, **fault):
    """A create that the target carried out, or not, and whose answer was lost."""
    remote.fault(method="POST", **({"kind": Fault.RESET, "act": True} | fault))
    sync(target)
    let_time_pass()


@pytest.fixture
def doubtful(target, post, remote):
    """A post in doubt: it is record 1 at the target. The journal is empty."""
    target.routes.update(lookup=[])
    lose_a_create(target, remote)
    sync(target)
    assert binding_of(post).in_doubt
    remote.clear_journal()
    return post


@pytest.fixture
def several(target, post, remote):
    """A post in doubt, for records 1 and 2 at the target hold what it sent. The journal is empty."""
    lose_a_create(target, remote)
    remote.store.create("posts", SENT)
    sync(target)
    assert binding_of(post).in_doubt
    remote.clear_journal()
    return post


@pytest.fixture
def gone(target, synced, remote):
    """A post whose record is gone at the target, and the route rejects such ones. The journal is empty."""
    target.routes.update(missing="reject")
    remote.store.delete("posts", 1)
    Post.objects.filter(pk=synced.pk).update(title="C")
    sync(target)
    remote.clear_journal()
    return synced


@pytest.fixture
def refused(target, post, remote):
    """A post whose create was not answered, and the look-up for it was refused. The journal is empty."""
    lose_a_create(target, remote)
    remote.fault(Fault.STATUS, method="GET", status=400, times=2)  # to the lookup, and to the whole list
    sync(target)
    remote.clear_journal()
    return post


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
    assert write([(late, {"remote_id": "7"})]) == set()


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


# --- the page ---------------------------------------------------------------------------------------------------------
def page_of(one):
    return reverse("admin:syncer_binding_change", args=[one.pk])


def resolve_url(one):
    return reverse("admin:syncer_binding_resolve", args=[one.pk])


def decide(client, one, **answer):
    """Press a button on the object's page, then confirm; the page that asks again."""
    sure = client.post(resolve_url(one), {"seen": one.token} | answer)
    return client.post(resolve_url(one), form_of(sure, "decision") | {"sure": "yes"}), sure.content.decode()


def test_the_page_shows_what_was_sent_and_what_may_be_it(target, several):
    page = administrator().get(page_of(binding_of(several))).content.decode()
    one = binding_of(several)
    for text in ("A create was not answered. Did it arrive?", str(one.create_key), "99999942", "2 possible matches"):
        assert text in page
    assert f"{target.url}/posts/1" in page
    assert f"{target.url}/posts/2" in page


def test_a_candidate_is_chosen_with_one_button_and_confirmed(target, several, remote):
    answer, asked = decide(administrator(), binding_of(several), encoded="2")
    assert f"All fields of the object are sent to record 2 (a number) at {target} then." in asked
    assert "If there is no such record, it is created again." in asked
    run = Run.objects.latest("pk")
    assert answer["Location"] == reverse("admin:syncer_run_change", args=[run.pk])
    work(run)
    assert binding_of(several).remote_id == "2"
    assert requests(remote) == [("PUT", "/posts/2")]


def test_an_id_is_written_and_confirmed(target, doubtful, remote):
    _, asked = decide(administrator(), binding_of(doubtful), way="arrived", remote_id="1")
    assert "its record is 1" in asked
    work(Run.objects.latest("pk"))
    assert requests(remote) == [("PUT", "/posts/1")]


def test_what_did_not_arrive_is_confirmed_and_sent(target, doubtful, remote):
    _, asked = decide(administrator(), binding_of(doubtful), way="not_arrived")
    assert "It is then created again, as it is now, with a new key." in asked
    assert "Fake API has it twice" in asked
    work(Run.objects.latest("pk"))
    assert requests(remote) == [("POST", "/posts")]


@pytest.mark.parametrize(
    ("answer", "follows"),
    [
        ({"way": "not_arrived"}, "Nothing is sent then: the object is gone here"),
        ({"encoded": "1"}, "Record 1 (a number) at Fake API is deleted then"),
    ],
)
def test_the_page_says_what_follows_for_an_object_that_is_gone_here(target, doubtful, answer, follows):
    one = binding_of(doubtful)
    doubtful.delete()
    assert follows in administrator().post(resolve_url(one), {"seen": one.token} | answer).content.decode()


def test_the_text_five_stays_a_text_to_the_end(target, doubtful):
    _, asked = decide(administrator(), binding_of(doubtful), way="arrived", remote_id='"5"')
    assert "(a text)" in asked
    assert binding_of(doubtful).remote_id == '"5"'


def test_the_number_of_a_candidate_stays_a_number_among_texts(target, several):
    Binding.objects.create(route=target.routes.get(model="news.Post"), object_key="0", last_remote_id='"b"')
    decide(administrator(), binding_of(several), encoded="2")
    assert binding_of(several).remote_id == "2"


def test_nothing_is_decided_before_it_is_confirmed(target, doubtful):
    before = Binding.objects.values().get()
    administrator().post(resolve_url(binding_of(doubtful)), {"way": "not_arrived", "seen": binding_of(doubtful).token})
    assert Binding.objects.values().get() == before
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"way": "arrived", "remote_id": ""}, "be a record&#x27;s id"),
        ({"encoded": "[1]"}, "be a record&#x27;s id"),
        ({"way": "not_arrived", "seen": "x"}, "The form did not say what you saw"),
        ({"way": "not_arrived", "seen": "0", "sure": "yes"}, "has moved on since you looked"),
        ({"encoded": "2", "sure": "yes"}, "2 is the record of news.Post:"),
    ],
    ids=range(5),
)
def test_what_is_refused_is_said_on_the_objects_page(target, doubtful, answer, says):
    Post.objects.create(title="other", body="B")
    sync(target)
    one = binding_of(doubtful)
    page = administrator().post(resolve_url(one), {"seen": one.token} | answer, follow=True)
    assert page.redirect_chain[-1][0] == page_of(one)
    assert says in page.content.decode()
    assert binding_of(doubtful).in_doubt


def test_what_is_decided_already_is_not_asked_again(target, doubtful):
    one = binding_of(doubtful)
    doubt.decide(binding=one, remote_id=None)
    page = administrator().post(resolve_url(one), {"seen": one.token, "way": "not_arrived"}, follow=True)
    assert "has moved on since you looked" in page.content.decode()


@pytest.mark.parametrize(
    ("answer", "said"),
    [({"way": "arrived", "remote_id": "1"}, "Its record is 1."), ({"way": "not_arrived"}, "It is not there.")],
    ids=["arrived", "not arrived"],
)
def test_the_admins_log_says_who_decided_what(target, doubtful, answer, said):
    decide(sign_in(SYNC, name="operator"), binding_of(doubtful), **answer)
    entry = LogEntry.objects.get()
    assert (str(entry.user), entry.get_change_message()) == ("operator", said)
    assert entry.object_id == str(binding_of(doubtful).pk)


def test_a_decision_needs_its_permission(target, doubtful):
    one = binding_of(doubtful)
    client = sign_in("syncer.view_binding")
    assert "Only people who may sync targets can decide this." in client.get(page_of(one)).content.decode()
    assert 'name="way"' not in client.get(page_of(one)).content.decode()
    answer = client.post(resolve_url(one), {"seen": one.token, "way": "not_arrived", "sure": "yes"})
    assert (answer.status_code, binding_of(doubtful).in_doubt) == (403, True)


def test_whoever_may_not_view_posts_decides_without_reading_them(target, several):
    client = sign_in(SYNC)
    one = binding_of(several)
    asked = client.post(resolve_url(one), {"seen": one.token, "encoded": "1"}).content.decode()
    for page in (client.get(page_of(one)).content.decode(), asked):
        assert "You need the permission news.view_post to view posts." in page
        assert "99999942" not in page


@pytest.mark.parametrize("key", ["abc", "0", "9" * 19, "9" * 5000], ids=range(4))
def test_a_decision_about_nothing_is_not_there(target, key):
    assert administrator().post(f"/admin/syncer/binding/{key}/resolve/").status_code == 404


def test_a_link_decides_nothing(target, doubtful):
    assert administrator().get(resolve_url(binding_of(doubtful))).status_code == 405


def test_an_object_that_is_well_asks_nothing(target, synced):
    page = administrator().get(page_of(binding_of(synced))).content.decode()
    assert "To be decided" not in page
    assert 'value="not_arrived"' not in page


def test_where_a_create_was_sent_can_not_be_guessed_by_a_filter(target):
    client = sign_in("syncer.view_binding")
    assert client.get(reverse("admin:syncer_binding_changelist"), {"create_path__contains": "p"}).status_code == 400


def test_what_is_in_doubt_is_found_in_the_list(target, doubtful, remote):
    Post.objects.create(title="other", body="B")
    sync(target)
    page = administrator().get(reverse("admin:syncer_binding_changelist"), {"state": State.IN_DOUBT.value})
    assert [row.pk for row in page.context["cl"].result_list] == [binding_of(doubtful).pk]


# --- the command ------------------------------------------------------------------------------------------------------
def resolve(*words):
    """What `sync_resolve fakeapi … --json` prints, and its exit status."""
    out = StringIO()
    try:
        call_command("sync_resolve", "fakeapi", *words, "--json", stdout=out)
    except SystemExit as error:
        return json.loads(out.getvalue()), error.code
    return json.loads(out.getvalue()), 0


def name_of(post):
    return f"news.Post:{post.pk}"


def test_the_command_lists_what_is_in_doubt_with_what_was_sent(target, several):
    one = binding_of(several)
    answer, status = resolve()
    assert (status, answer["more"]) == (1, 0)
    assert answer["open"] == [
        {
            "object": name_of(several),
            "question": "A create was not answered. Did it arrive?",
            "why": "2 possible matches at the target: 1, 2",
            "record": None,
            "candidates": [
                {"id": number, "address": f"{target.url}/posts/{number}", "fields": SAME} for number in (1, 2)
            ],
            "sent": {
                "at": str(one.create_at),
                "path": "/posts",
                "key": str(one.create_key),
                "body": SENT,
            },
        }
    ]
    assert resolve(name_of(several))[0] == answer


def test_the_command_says_so_in_words(target, several, gone):
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("sync_resolve", "fakeapi", stdout=out)
    text = out.getvalue()
    assert f"{name_of(several)}: A create was not answered" in text
    assert f"may be 2: {target.url}/posts/2" in text
    assert 'sent body: {"userId"' in text or 'sent body: {"body"' in text
    assert "sync_resolve fakeapi OBJECT --arrived ID, or --not-arrived" in text


def test_the_command_lists_each_kind_of_question(target, refused, remote):
    other = Post.objects.create(title="other", body="B")
    sync(target)
    target.routes.update(missing="reject", lookup=[])
    remote.store.delete("posts", 2)
    Post.objects.filter(pk=other.pk).update(title="C")
    third = Post.objects.create(title="third", body="B")
    lose_a_create(target, remote)
    sync(target)
    found = {one["object"]: one["question"] for one in resolve()[0]["open"]}
    assert found == {
        name_of(refused): Question.CREATE,
        name_of(other): Question.GONE,
        name_of(third): Question.CREATE,
    }
    assert set(found) == {str(row) for row in Binding.objects.all() if doubt.question(row)}


def test_the_command_decides_that_it_arrived_and_syncs_it(target, doubtful, remote):
    answer, status = resolve(name_of(doubtful), "--arrived", "1")
    assert (answer["message"], status) == ("1 updated.", 0)
    assert requests(remote) == [("PUT", "/posts/1")]


def test_the_command_decides_that_it_did_not_and_syncs_it(target, doubtful, remote, caplog):
    User.objects.create_user("operator")
    with caplog.at_level(logging.INFO, "syncer.targets.rest.doubt"):
        answer, status = resolve(name_of(doubtful), "--not-arrived", "--by", "operator")
    assert (answer["message"], status) == ("1 created.", 0)
    assert requests(remote) == [("POST", "/posts")]
    assert str(LogEntry.objects.get().user) == "operator"
    assert f"{name_of(doubtful)} at fakeapi: It is not there. (decided by operator)" in caplog.text


def test_the_command_syncs_no_other_object(target, doubtful, remote):
    Post.objects.create(title="other", body="B")
    assert resolve(name_of(doubtful), "--arrived", "1")[1] == 0
    assert requests(remote) == [("PUT", "/posts/1")]


def test_the_command_fails_where_the_target_is_off(target, doubtful):
    type(target).objects.update(enabled=False)
    answer, status = resolve(name_of(doubtful), "--not-arrived")
    assert ("paused" in answer["message"], status) == (True, 1)


def test_the_command_is_content_where_nothing_is_in_doubt(target, synced):
    out = StringIO()
    call_command("sync_resolve", "fakeapi", stdout=out)
    assert out.getvalue() == "Nothing is in doubt.\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--not-arrived"], "Name the object"),
        (["news.Post:99", "--not-arrived"], r"Nothing of news\.Post:99 was ever sent to fakeapi"),
        (["news.Post", "--not-arrived"], "names no object that travels to fakeapi"),
        (["news.Post:{pk}", "--arrived", ".."], "can't be a record's id"),
        (["news.Post:{pk}", "--arrived", "5", "--not-arrived"], "not allowed with argument"),
        (["news.Post:{pk}", "--not-arrived", "--by", "nobody"], "There is no user 'nobody'"),
    ],
    ids=range(6),
)
def test_the_command_refuses_what_it_can_not_do(target, doubtful, words, says):
    before = Binding.objects.values().get()
    with pytest.raises(CommandError, match=says):
        call_command("sync_resolve", "fakeapi", *[word.format(pk=doubtful.pk) for word in words])
    assert Binding.objects.values().get() == before
