"""What the tests of messaging share: a bot, messages, and people with permissions."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from backoffice.accounts.models import User
from content.messaging.models import Bot, Direction, Message
from tests.content.api_client import ApiClient
from tests.content.pages import person

BOT = UUID("11111111-1111-4111-8111-111111111111")
OTHER_BOT = UUID("22222222-2222-4222-8222-222222222222")
CONVERSATION = UUID("aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa")
BEGINNING = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
BOTS, MESSAGES = "/api/messaging/bots/", "/api/messaging/messages/"
ERASURES, CLIENTS = "/api/messaging/erasures/", "/api/messaging/clients/"


def message(number: int = 0, **values: Any) -> Message:
    """A message, not saved; each number a minute later than the one before."""
    given = {
        "bot_id": BOT, "direction": Direction.TO_BOT, "client": "client-7", "conversation": CONVERSATION,
        "timestamp": BEGINNING + timedelta(minutes=number), "text": f"What was said, number {number}",
    }  # fmt: skip
    return Message(**(given | values))


def body(**values: Any) -> dict[str, Any]:
    """A message as a program sends it; `sender` and `receiver` stand for `from` and `to`."""
    given = {
        "conversationId": str(CONVERSATION), "timestamp": "2026-01-05T08:00:00Z", "from": "client-7", "to": str(BOT),
        "text": "Where is my delivery?",
    }  # fmt: skip
    names = {"sender": "from", "receiver": "to"}
    return given | {names.get(name, name): value for name, value in values.items()}


def user(*permissions: str, name: str = "editor", **fields: Any) -> User:
    """With these permissions of messaging, `add_message`."""
    return person(name, *(f"messaging.{permission}" for permission in permissions), **fields)


def program_of(*permissions: str) -> ApiClient:
    """A program with these permissions of messaging."""
    return ApiClient(user(*permissions, name="program"))


def make_bot(key: UUID = BOT, name: str = "Desk") -> Bot:
    return Bot.objects.create(id=key, name=name)
