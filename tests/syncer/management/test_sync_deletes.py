"""The command sync_deletes: lists the deletes that wait, allows them or undoes the edits."""

import json

import pytest
from django.core.management import CommandError, call_command

from content.news.models import Post
from syncer.recovery.deletes import review

pytestmark = pytest.mark.django_db(transaction=True)


def run(capsys, *arguments):
    """Return the exit status and what was printed."""
    try:
        call_command("sync_deletes", "fakeapi", *arguments)
    except SystemExit as ended:
        return ended.code, capsys.readouterr().out
    return 0, capsys.readouterr().out


def test_it_lists_what_waits_and_how_to_decide(waiting, capsys):
    status, text = run(capsys)
    assert status == 1
    first, second, *_, last = text.splitlines()
    assert first == "news.Post: 5 deletes wait, more than the 2 that the route allows in one run"
    assert second.startswith("  news.Post:")
    assert ": record " in second
    assert last.startswith(f"Decide: sync_deletes fakeapi --allow {review(waiting).digest} deletes them there; ")


def test_it_allows_what_was_listed(waiting, capsys, remote):
    digest = json.loads(run(capsys, "--json")[1])["digest"]
    assert run(capsys, "--allow", digest) == (0, "Allowed 5 deletes. 5 deleted.\n")
    assert len(remote.posts) == 5
    assert run(capsys) == (0, "No delete waits for a person.\n")


def test_it_undoes_the_edits(waiting, capsys, remote):
    status, text = run(capsys, "--model", "news.Post", "--undo", review(waiting, model="news.Post").digest)
    nothing = "Nothing to send: everything was accepted by the target."
    assert (status, text) == (0, f"Undid the edits behind 5 deletes. {nothing}\n")
    assert Post.objects.count() == 10


def test_of_another_model_nothing_waits(waiting, capsys):
    assert run(capsys, "--model", "news.Comment") == (0, "No delete waits for a person.\n")


def test_it_refuses_what_was_not_listed_and_an_unknown_account(waiting, capsys):
    with pytest.raises(CommandError, match="has changed since you looked"):
        call_command("sync_deletes", "fakeapi", "--allow", "0123456789abcdef")
    with pytest.raises(CommandError, match="There is no user 'nobody'"):
        call_command("sync_deletes", "fakeapi", "--allow", review(waiting).digest, "--by", "nobody")
