"""A message is never changed: not by the model, not by querysets, not by the database itself."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from content.messaging.models import ERASED, Bot, Direction, Message
from tests.content.messaging.support import OTHER_BOT, make_bot, message

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored():
    make_bot()
    found = message()
    found.save()
    return found


CHANGES = {
    "save": lambda found: edited(found).save(),
    "save one field": lambda found: edited(found).save(update_fields=["text"]),
    "update": lambda found: Message.objects.update(text="new"),
    "bulk_update": lambda found: Message.objects.bulk_update([edited(found)], ["text"]),
    "update_or_create": lambda found: Message.objects.update_or_create(pk=found.pk, defaults={"text": "new"}),
    "related manager": lambda found: make_bot(OTHER_BOT).messages.add(found),
}


def edited(found):
    found.text = "new"
    return found


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_no_write_changes_a_message(stored, change):
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        change(stored)
    assert Message.objects.get().text == "What was said, number 0"
    assert Message.history.count() == 1


def test_the_model_says_so_before(stored):
    with pytest.raises(ValidationError, match="never changed"):
        edited(stored).full_clean()


def test_saving_an_unchanged_message_is_allowed(stored):
    stored.full_clean()
    stored.save()
    assert Message.history.count() == 1


ERASURE = {"text": ERASED, "client": "erased-1"}


@pytest.mark.parametrize(
    "columns", [{"text": "new"}, {"text": ERASED}, {"client": "erased-1"}, ERASURE | {"direction": Direction.FROM_BOT}]
)
def test_the_database_refuses_to_change_a_message(stored, columns):
    values = ", ".join(f"{name} = %s" for name in columns)
    with pytest.raises(IntegrityError, match="never changed"), connection.cursor() as cursor:
        cursor.execute(f"UPDATE messaging_message SET {values}", list(columns.values()))


def test_the_database_lets_a_message_be_erased(stored):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE messaging_message SET text = %s, client = %s", [ERASED, "erased-1"])
        assert cursor.rowcount == 1


@pytest.mark.parametrize(
    "values", [{"text": " "}, {"text": "x" * 10_001}, {"client": ""}, {"client": "x" * 129}, {"direction": "up"}]
)
def test_the_database_refuses_an_invalid_message(values):
    make_bot()
    with pytest.raises((IntegrityError, Exception)):
        Message.objects.bulk_create([message(**values)])


def test_a_message_names_neither_client_nor_text(stored):
    assert str(stored) == f"Message {stored.pk}"


def test_a_bot_has_a_name(db):
    with pytest.raises(ValidationError):
        Bot(id=OTHER_BOT, name=" ").full_clean()
