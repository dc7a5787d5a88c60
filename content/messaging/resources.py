from typing import Any

from django.core.exceptions import ValidationError

from content.base.models import ContentModel
from content.base.resource import ContentResource
from content.messaging.models import Bot, Message


class BotResource(ContentResource):
    """A row with an id that is not there yet adds a bot: who makes one gives its id."""

    class Meta:
        model = Bot
        fields = ("id", "name")

    def get_instance(self, _loader: Any, row: Any) -> ContentModel | None:
        try:
            return super().get_instance(_loader, row)
        except ValidationError as error:
            if isinstance(error.__cause__, Bot.DoesNotExist):
                return None
            raise


class MessageResource(ContentResource):
    """Adds messages; a row that would change a stored one is an error, as the model has it."""

    class Meta:
        model = Message
        fields = ("id", "bot", "direction", "client", "conversation", "timestamp", "text")
