import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from backoffice.kit import clock
from content.news.models import Comment, Post
from syncer.models import Binding, Worker
from tests.remote import Fault

pytestmark = pytest.mark.django_db(transaction=True)


def run(*words: str) -> tuple[dict[str, Any], Any]:
    """The JSON that a command prints, and its exit status."""
    out = StringIO()
    try:
        call_command(*words, "--json", stdout=out)
    except SystemExit as exit_:
        return json.loads(out.getvalue()), exit_.code
    return json.loads(out.getvalue()), 0


def test_sync_now_says_what_it_did_and_that_nothing_is_left(remote, target):
    Post.objects.create(title="A", body="B")
    answer, status = run("sync_now", "fakeapi")
    assert status == 0
    assert answer["counts"] == {"created": 1, "updated": 0, "deleted": 0, "requests": 1, "failed": 0, "left": 0}
    assert answer["message"] == "1 created."


def test_sync_now_fails_while_something_is_left_undone(remote, target):
    Post.objects.create(title="A", body="B")
    remote.fault(Fault.STATUS, method="POST", status=422, body={"detail": "no"})
    answer, status = run("sync_now", "fakeapi")
    assert status == 1
    assert [(one["object"], one["status"]) for one in answer["failed"]] == [
        ("news.Post:" + str(Post.objects.get().pk), 422)
    ]


def test_a_preview_sends_nothing_and_moves_nothing(remote, target):
    post = Post.objects.create(title="A", body="B")
    Comment.objects.create(post=post, name="N", email="n@example.com", body="C")
    answer, status = run("sync_now", "fakeapi", "--preview")
    assert status == 1
    assert [one["action"] for one in answer["planned"]] == ["create", "create"]
    assert answer["planned"][1]["fields"]["postId"] == [None, "(its parent's id)"]
    assert remote.writes() == []
    assert not Binding.objects.exists()
    assert target.routes.filter(mark="").count() == 2


def test_a_preview_names_the_fields_that_changed(remote, target):
    post = Post.objects.create(title="A", body="B")
    run("sync_now", "fakeapi")
    Post.objects.filter(pk=post.pk).update(title="C")
    answer, _ = run("sync_now", "fakeapi", "--preview")
    assert [(one["action"], one["fields"]) for one in answer["planned"]] == [("update", {"title": ["A", "C"]})]


def test_sync_status_counts_what_is_pending(target):
    Post.objects.create(title="A", body="B")
    answer, status = run("sync_status")
    assert status == 1
    assert {row["model"]: row["pending"] for row in answer["routes"]} == {"news.Post": 1, "news.Comment": 0}
    run("sync_now", "fakeapi")
    answer, status = run("sync_status")
    assert status == 0
    assert {row["model"]: row["bound"] for row in answer["routes"]} == {"news.Post": 1, "news.Comment": 0}


def test_sync_status_says_which_workers_are_alive(target, capsys):
    call_command("sync_status")
    assert "No worker is running; start “manage.py worker”." in capsys.readouterr().out
    now = clock.now()
    for pid, age in ((7, 0), (8, 3600)):
        Worker.objects.create(
            host="here", pid=pid, started_at=now, heartbeat_at=now - timedelta(seconds=age), restarts=2
        )
    answer, status = run("sync_status")
    assert ([worker["pid"] for worker in answer["workers"]], status) == ([7], 0)
    call_command("sync_status")
    assert "A worker runs on here, process 7, since " in capsys.readouterr().out


def test_sync_retry_sends_what_was_rejected(remote, target):
    Post.objects.create(title="A", body="B")
    remote.fault(Fault.STATUS, method="POST", status=422)
    run("sync_now", "fakeapi")
    assert run("sync_now", "fakeapi")[1] == 1
    answer, status = run("sync_retry", "fakeapi")
    assert (answer["retried"], status) == (1, 0)
    assert len(remote.records("/posts")) == 1


def test_sync_retry_of_one_object_leaves_the_others(remote, target):
    _, second = (Post.objects.create(title=title, body="B") for title in "AC")
    remote.fault(Fault.STATUS, method="POST", status=422, times=2)
    run("sync_now", "fakeapi")
    run("sync_retry", "fakeapi", "--object", f"news.Post:{second.pk}")
    assert [record["title"] for record in remote.records("/posts").values()] == ["C"]


def test_sync_retry_refuses_a_key_that_can_not_be_one(remote, target):
    with pytest.raises(CommandError, match="'abc' is not a key of news"):
        call_command("sync_retry", "fakeapi", "--object", "news.Comment:abc")
    assert not Binding.objects.exists()


def test_sync_status_says_why_a_mark_can_not_be_read(target, capsys):
    run("sync_now", "fakeapi")
    target.routes.update(mark="elsewhere/1:2:")
    with pytest.raises(SystemExit):
        call_command("sync_status")
    assert "fakeapi is blocked: The history was read in another database" in capsys.readouterr().out


def test_sync_now_fails_where_a_mark_can_not_be_read(target):
    run("sync_now", "fakeapi")
    target.routes.update(mark="elsewhere/1")
    answer, status = run("sync_now", "fakeapi")
    assert (answer["message"][:8], status) == ("Blocked:", 1)
    answer, status = run("sync_status")
    assert ("another database" in answer["blocked"]["fakeapi"], status) == (True, 1)


def test_sync_now_fails_for_a_target_that_is_off(target):
    Post.objects.create(title="A", body="B")
    target.enabled = False
    target.save()
    assert run("sync_now", "fakeapi")[1] == 1


@pytest.mark.parametrize("name", ["news.Post", "news.Nothing:5"])
def test_sync_retry_refuses_what_does_not_travel(target, name):
    with pytest.raises(CommandError, match="names no object that travels"):
        call_command("sync_retry", "fakeapi", "--object", name)


def test_an_unknown_target_is_named_with_those_there_are(target):
    with pytest.raises(CommandError, match=r"There is no target 'x'\. There are: fakeapi"):
        call_command("sync_now", "x")
