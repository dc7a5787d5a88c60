"""Files: messages are added and never changed; a bot's id is given."""

import pytest
from tablib import Dataset

from content.messaging.models import Bot, Message
from content.messaging.resources import BotResource, MessageResource
from tests.content.messaging.support import BOT, CONVERSATION, OTHER_BOT, make_bot, message

pytestmark = pytest.mark.django_db
COLUMNS = ("id", "bot", "direction", "client", "conversation", "timestamp", "text")


def load(resource, columns, *rows):
    return resource().import_data(Dataset(*rows, headers=columns), raise_errors=False)


def row(key, text="Hello"):
    return (key, str(BOT), "to", "client-7", str(CONVERSATION), "2026-01-05T08:00:00Z", text)


def test_a_file_adds_messages():
    make_bot()
    assert load(MessageResource, COLUMNS, row("")).totals["new"] == 1
    assert Message.history.get().text == "Hello"


def test_a_file_changes_no_message():
    make_bot()
    message().save()
    key = Message.objects.get().pk
    result = load(MessageResource, COLUMNS, row(key, "Other"))
    assert "never changed" in str(result.problems())
    assert load(MessageResource, COLUMNS, row(key, "What was said, number 0")).totals["skip"] == 1
    assert Message.history.count() == 1


def test_a_file_gives_a_bot_its_id_and_renames_one():
    make_bot()
    result = load(BotResource, ("id", "name"), (str(BOT), "New"), (str(OTHER_BOT), "Other"))
    assert (result.totals["update"], result.totals["new"]) == (1, 1)
    assert set(Bot.objects.values_list("id", "name")) == {(BOT, "New"), (OTHER_BOT, "Other")}


@pytest.mark.parametrize("key", ["", "17"])
def test_a_bot_without_an_id_that_is_one_is_an_error(key):
    assert load(BotResource, ("id", "name"), (key, "Other")).problems()[0][1] == "id"
