"""The commands sync_hold and sync_release."""

import json

import pytest
from django.core.management import CommandError, call_command

from syncer.models import Binding, Route, Target
from tests.content.pages import person
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of

pytestmark = pytest.mark.django_db(transaction=True)


def run(capsys, command, *arguments):
    call_command(command, *arguments)
    return capsys.readouterr().out


def test_it_holds_lists_and_releases(target, post, capsys):
    person("operator")
    name = f"news.Post:{post.pk}"
    text = run(capsys, "sync_hold", name, "--reason", "Not yet", "--by", "operator")
    assert text == "On hold now, counted at each target: 1.\n"
    sync(target)
    [held] = json.loads(run(capsys, "sync_hold", "--json"))["held"]
    assert (held["object"], held["target"], held["by"], held["reason"], held["changed"]) == (
        name, "fakeapi", "operator", "Not yet", True,
    )  # fmt: skip
    assert run(capsys, "sync_hold").startswith(f"{name} at fakeapi: Not yet (operator, ")
    text = run(capsys, "sync_release", name)
    assert text == "Released, counted at each target: 1. With a change to send: 1.\n"
    assert run(capsys, "sync_hold") == "Nothing is on hold.\n"


def test_everything_at_one_target_is_released(target, post, capsys):
    second = Target.objects.create(name="second", url="http://127.0.0.1:9")
    Route.objects.create(target=second, model="news.Post", path="/posts", fields={"title": "title"})
    run(capsys, "sync_hold", f"news.Post:{post.pk}", "--reason", "R")
    run(capsys, "sync_release", "--everything", "--target", "second")
    assert [str(row.route.target.name) for row in Binding.objects.filter(on_hold=True)] == ["fakeapi"]


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        ("sync_hold", ["news.Post:1"], "Give --reason"),
        ("sync_hold", ["news.Post:4711", "--reason", "R"], "There is no news.Post:4711"),
        ("sync_hold", ["news.Post:x", "--reason", "R"], "is not a key of news.Post"),
        ("sync_hold", ["auth.User:1", "--reason", "R"], "names no object that travels to a target"),
        ("sync_hold", ["--target", "nowhere"], "There is no target 'nowhere'"),
        ("sync_release", [], "Name the objects"),
        ("sync_release", ["news.Post:1", "--everything"], "Name the objects"),
    ],
)
def test_what_can_not_be_done_is_said(target, command, arguments, message):
    with pytest.raises(CommandError, match=message):
        call_command(command, *arguments)
    assert not Binding.objects.filter(on_hold=True).exists()


def test_a_hold_of_a_sent_object_is_named_by_sync_now(target, synced, capsys):
    run(capsys, "sync_hold", f"news.Post:{synced.pk}", "--reason", "R")
    type(synced).objects.update(title="edited")
    assert run(capsys, "sync_now", "fakeapi") == "1 changed object is on hold.\n"
    assert binding_of(synced).on_hold
