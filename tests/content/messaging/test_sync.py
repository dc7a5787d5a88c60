"""Bots and messages at a target: the ids are their caller's and the server's, the remote has its own."""

import pytest

from content.messaging.models import Bot
from syncer.engine.runs import run_here
from syncer.models import Route, Target
from tests.content.messaging.support import BOT, CONVERSATION, make_bot, message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def target(remote):
    made = Target.objects.create(name="remote", url=remote.url, timeout=10)
    Route.objects.create(target=made, model="messaging.Bot", path="/bots", fields={"key": "id", "name": "name"})
    fields = {name: name for name in ("bot", "direction", "client", "conversation", "timestamp", "text")}
    Route.objects.create(target=made, model="messaging.Message", path="/messages", fields=fields)
    return made


def test_a_bot_goes_before_its_messages_and_they_name_its_record(remote, target):
    make_bot()
    remote.store.create("bots", {"name": "not ours"})
    message().save()
    run_here(target)
    assert [entry.path for entry in remote.writes()] == ["/bots", "/messages"]
    assert remote.records("/bots")[2] == {"id": 2, "key": str(BOT), "name": "Desk"}
    assert remote.records("/messages")[1] == {
        "id": 1, "bot": 2, "direction": "to", "client": "client-7", "conversation": str(CONVERSATION),
        "timestamp": "2026-01-05T08:00:00+00:00", "text": "What was said, number 0",
    }  # fmt: skip


def test_a_renamed_bot_is_one_put_and_messages_at_rest_are_not_sent_again(remote, target):
    make_bot()
    message().save()
    run_here(target)
    remote.clear_journal()
    Bot.objects.update(name="New")
    run_here(target)
    assert [(entry.method, entry.path) for entry in remote.writes()] == [("PUT", "/bots/1")]
