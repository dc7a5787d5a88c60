from content.base.resource import ContentResource
from content.messaging.models import Bot, Message


class BotResource(ContentResource):
    class Meta:
        model = Bot
        fields = ("id", "name")
        caller_keys = True


class MessageResource(ContentResource):
    """Adds messages; a row that would change a stored one is an error, as the model has it."""

    class Meta:
        model = Message
        fields = ("id", "bot", "direction", "client", "conversation", "timestamp", "text")
