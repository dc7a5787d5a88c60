"""Commands of installed packages that would lose changes refuse to run, and say what to use instead."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core import serializers
from django.core.management import CommandError, call_command

from content.news.models import Post
from syncer.models import Binding
from tests.content.history.support import kinds
from tests.flows.worker import database_url
from tests.syncer.conftest import sync
from tests.syncer.conftest import target as target_fixture

pytestmark = [pytest.mark.law, pytest.mark.django_db(transaction=True)]
target = target_fixture
ROOT = Path(__file__).parents[3]

REFUSED = {
    "clean_old_history --days 0 --auto": "History is kept",
    "clean_old_history news.Post --days 0": "History is kept",
    "clean_duplicate_history --auto --minutes 5": "manage.py check_history",
    "populate_history --auto --batchsize 5": "manage.py check_history --record",
}


@pytest.fixture
def pending(remote, target):
    """Two posts that the target holds, of which one was edited and one deleted since."""
    edited, deleted = Post.objects.bulk_create([Post(title="A", body="B"), Post(title="C", body="D")])
    sync(target)
    Post.objects.filter(pk=edited.pk).update(title="new")
    deleted.delete()
    remote.clear_journal()
    return target


def assert_nothing_is_lost(remote, target):
    sync(target)
    assert sorted(entry.method for entry in remote.writes()) == ["DELETE", "PUT"]
    assert [record["title"] for record in remote.store.records("posts").values()] == ["new"]


@pytest.mark.parametrize(("command", "instead"), REFUSED.items(), ids=REFUSED)
def test_a_command_that_would_lose_changes_refuses_and_names_another(remote, pending, command, instead):
    before = kinds()
    with pytest.raises(CommandError, match=instead) as refusal:
        call_command(*command.split())
    assert refusal.value.returncode == 1
    assert kinds() == before
    assert_nothing_is_lost(remote, pending)


def test_a_shell_sees_the_refusal_by_its_status(pending):
    command = [sys.executable, "manage.py", "clean_old_history", "--days", "0", "--auto"]
    environment = os.environ | {"DATABASE_URL": database_url()}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "CommandError: clean_old_history would delete history" in ended.stderr


def test_a_file_of_history_is_not_loaded_over_a_pending_change(remote, pending, tmp_path):
    """Its rows carry the numbers of pending ones, as a dump of another node's does."""
    file = tmp_path / "history.json"
    rows = list(Post.history.all())
    for row in rows:
        row.id = 1_000_000
    file.write_text(serializers.serialize("json", rows))
    with pytest.raises(CommandError, match=r"rows of news\.HistoricalPost"):
        call_command("loaddata", file)
    assert_nothing_is_lost(remote, pending)


def test_a_file_of_bindings_is_not_loaded_over_a_pending_change(remote, pending, tmp_path):
    file = tmp_path / "bindings.json"
    file.write_text(serializers.serialize("json", Binding.objects.all()))
    sync(pending)
    with pytest.raises(CommandError, match=r"rows of syncer\.Binding"):
        call_command("loaddata", file)
    assert set(Binding.objects.values_list("delivered", flat=True)) == {2}


@pytest.mark.parametrize("model", ["news.HistoricalPost", "syncer.Binding"])
def test_history_and_bindings_are_not_imported(pending, tmp_path, model):
    with pytest.raises(CommandError, match=f"rows of {model}"):
        call_command("import", model, tmp_path / "rows.csv", interactive=False)


def test_content_is_loaded_and_imported_and_has_its_history(tmp_path):
    fixture, table = tmp_path / "posts.json", tmp_path / "posts.csv"
    post = Post.objects.create(title="T", body="B")
    fixture.write_text(serializers.serialize("json", [*Post.objects.all(), *Post.history.all()]))
    Post.objects.all().delete()
    call_command("loaddata", fixture, exclude=["news.HistoricalPost"], verbosity=0)
    assert (Post.objects.get().pk, kinds()) == (post.pk, "+-+")
    table.write_text(f"id,title\n{json.dumps(post.pk)},new\n")
    call_command("import", "content.news.resources.PostResource", table, interactive=False)
    assert (Post.objects.get().title, kinds()) == ("new", "+-+~")
