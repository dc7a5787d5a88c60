"""What only a person can know: the command by which they decide it."""

import json
import logging
from io import StringIO

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command

from backoffice.accounts.models import User
from backoffice.kit.audit.models import Entry
from content.news.models import Post
from syncer.core.state import Question
from syncer.models import Binding
from syncer.targets.rest import doubt
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of, requests
from tests.syncer.targets.rest.doubts import SENT, lose_a_create

pytestmark = pytest.mark.django_db(transaction=True)

SAME = {name: {"ours": value, "theirs": value, "differs": False} for name, value in SENT.items()}


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
    assert f"{name_of(doubtful)} at fakeapi: it is not there (decided by user " in caplog.text
    row = Entry.objects.get(action="decision.made")
    assert (row.actor_name, row.subject_name, row.details) == (
        "operator", name_of(doubtful), {"decision": "not there"},
    )  # fmt: skip


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
