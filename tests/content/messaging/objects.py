"""What the doors of `tests.content.doors` need to know of bots and messages."""

from typing import Any
from uuid import UUID

from content.messaging.models import Bot

NEVER_CHANGED = {"Message"}
SILENT = "00000000-0000-4000-8000-00000000000{}"  # ids of bots without messages, but for the last digit


def fill() -> None:
    """Bots that may be deleted."""
    Bot.objects.bulk_create([Bot(id=UUID(SILENT.format(number)), name=f"Silent {number}") for number in range(3)])


def new(model: Any, number: int) -> Any:
    return Bot(id=UUID(SILENT.format(7 + number)), name="New") if model is Bot else None


def deletable(model: Any) -> Any:
    return Bot.objects.filter(messages=None) if model is Bot else None
