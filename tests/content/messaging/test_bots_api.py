import pytest
from django.db import connection
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext

from content.messaging.models import Bot, Message
from tests.content.api_client import errors
from tests.content.messaging.support import BOT, BOTS, make_bot, message, program_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    return program_of("view_bot", "add_bot", "change_bot", "delete_bot")


def test_a_bot_has_the_id_that_its_caller_gives(program):
    answer = program.send("POST", BOTS, {"id": str(BOT), "name": "Desk"})
    assert answer.status_code == 201
    assert answer.json() == {"id": str(BOT), "name": "Desk"}
    assert answer["Location"] == f"{BOTS}{BOT}/"
    assert program.get(answer["Location"]).json() == {"id": str(BOT), "name": "Desk"}


def test_a_bot_without_an_id_is_refused(program):
    assert "id" in errors(program.send("POST", BOTS, {"name": "Desk"}))


def test_a_bot_is_renamed_and_deleted(program):
    make_bot()
    assert program.send("PATCH", f"{BOTS}{BOT}/", {"name": "New"}).json()["name"] == "New"
    assert program.delete(f"{BOTS}{BOT}/").status_code == 204
    assert Bot.history.count() == 3


@pytest.mark.parametrize(("number", "words"), [(1, "has 1 message,"), (3, "has 3 messages,")])
def test_deleting_a_bot_that_has_messages_is_a_conflict_that_says_how_many(program, number, words):
    make_bot()
    Message.objects.bulk_create(message(one) for one in range(number))
    answer = program.delete(f"{BOTS}{BOT}/")
    assert answer.status_code == 409
    assert words in answer.json()["detail"]
    assert Bot.objects.exists()


def test_no_code_deletes_a_bot_that_has_messages():
    bot = make_bot()
    message().save()
    for delete in (bot.delete, Bot.objects.all().delete):
        with pytest.raises(ProtectedError):
            delete()


def test_a_refused_delete_reads_one_message_at_most():
    bot = make_bot()
    Message.objects.bulk_create(message(number) for number in range(50))
    with CaptureQueriesContext(connection) as queries, pytest.raises(ProtectedError) as refused:
        bot.delete()
    assert len(refused.value.protected_objects) == 1
    read = [query["sql"] for query in queries if 'FROM "messaging_message"' in query["sql"]]
    assert [sql.partition(" LIMIT ")[2] for sql in read] == ["1"]
