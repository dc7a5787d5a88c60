"""The fields of bots and messages that a sync may carry."""

from content.messaging.models import Bot, Message
from syncer.public import declare

declare(Bot, fields=("id", "name"), natural_key=("id",))
declare(
    Message,
    fields=("id", "bot", "direction", "text", "client", "conversation", "timestamp"),
    natural_key=("conversation", "timestamp", "direction"),
    parent="bot",
)
