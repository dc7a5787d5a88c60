from content.base.resource import ContentResource
from content.messaging.models import Bot, Message


class BotResource(ContentResource):
    class Meta:
        model = Bot
        fields = ("id", "name")
        caller_keys = True


class MessageResource(ContentResource):
    """Adds messages. A row that would change a stored message is an error of the model."""

    class Meta:
        model = Message
        fields = ("id", "bot", "direction", "client", "conversation", "timestamp", "text")
