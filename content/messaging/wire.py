"""The JSON of a message in the API: `{conversationId, timestamp, from, to, text}`."""

import re
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from backoffice.kit.api.pagination import Row
from backoffice.kit.api.schemas import Body, Text
from content.messaging.models import CLIENT_LENGTH, TEXT_LENGTH, Direction

COLUMNS = ("id", "bot", "direction", "client", "conversation", "timestamp", "text")
VERSION_COLUMNS = (*COLUMNS, "history_id", "history_date", "history_type")
NAMES = ("id", "conversationId", "timestamp", "from", "to", "text")
CHANGES = {"+": "added", "~": "changed", "-": "deleted"}
# ISO 8601, the profile of RFC 3339, section 5.6, with up to 9 digits of a second.
TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})")
NO_TIME = (
    "Give a time as ISO 8601 has it, with its zone and up to 9 digits of a second: 2026-01-31T09:30:00.123456789Z."
)


def read_time(value: object) -> datetime:
    """Return the time in UTC, truncated to the microsecond.

    Raises:
        ValueError: `value` is not a time in the format of `TIME`.
    """
    match = TIME.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise ValueError(NO_TIME)
    date, time, fraction, zone = match.groups()
    text = f"{date}T{time}.{(fraction or '0')[:6].ljust(6, '0')}{zone.upper().replace('Z', '+00:00')}"
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(NO_TIME) from None


Time = Annotated[datetime, BeforeValidator(read_time), WithJsonSchema({"type": "string", "format": "date-time"})]


class MessageIn(Body):
    conversationId: UUID = Field(description="The conversation that it belongs to.")  # noqa: N815 - its name in JSON
    timestamp: Time = Field(description="When it was sent; kept to the microsecond.")
    sender: Text = Field(alias="from", description="Who sent it: a bot's id, or the client's.")
    receiver: Text = Field(alias="to", description="Who received it: the client's id, or a bot's.")
    text: Text = Field(description=f"What was said: 1 to {TEXT_LENGTH} characters, not blank.")


class MessageOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"description": "One of from and to is a bot."})

    id: int
    conversationId: UUID  # noqa: N815 - its name in JSON
    timestamp: datetime
    sender: str = Field(alias="from", description=f"A bot's id, or the client's, at most {CLIENT_LENGTH} characters.")
    receiver: str = Field(alias="to", description=f"The client's id, at most {CLIENT_LENGTH} characters, or a bot's.")
    text: str


def message(row: Row) -> Row:
    """Return the JSON of a message from a row of COLUMNS."""
    parties = str(row["bot"]), row["client"]
    sender, receiver = parties if row["direction"] == Direction.FROM_BOT else parties[::-1]
    values = (row["id"], row["conversation"], row["timestamp"], sender, receiver, row["text"])
    return dict(zip(NAMES, values, strict=True))


def messages(rows: list[Row]) -> list[Row]:
    """Return the JSON of messages from rows of COLUMNS."""
    return [message(row) for row in rows]


def versions(rows: list[Row]) -> list[Row]:
    """Return the JSON of versions in an export from rows of VERSION_COLUMNS."""
    return [
        {
            "version": row["history_id"],
            "at": row["history_date"],
            "change": CHANGES[row["history_type"]],
            "message": message(row),
        }
        for row in rows
    ]
