from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.db import models
from django.db.models.deletion import Collector, ProtectedError
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.kit.history import column_values
from content.base.fields import FieldCheck, not_blank, order_indexes, text_constraint, text_field
from content.base.models import ContentModel

CLIENT_LENGTH = 128  # characters
TEXT_LENGTH = 10_000  # characters
ERASED = "[erased]"  # replaces a text
ERASED_CLIENT = "erased-"  # the prefix of an erased client's replacement id
IMMUTABLE = _("A message is never changed. What may not be kept is erased with its client.")


class Bot(ContentModel):
    """A program that talks with clients."""

    searched = ("name",)

    id = models.UUIDField(primary_key=True, help_text="Given by whoever makes the bot; a UUID.")
    name = text_field(255, help_text="What people call it, at most 255 characters.")

    class Meta(ContentModel.Meta):
        abstract = False
        constraints = [text_constraint("name", 255)]
        indexes = order_indexes("messaging_bot", "name")

    def __str__(self) -> str:
        return self.name


def refuse(collector: Collector, field: Any, messages: "models.QuerySet[Any]", using: str) -> None:
    """Protect a bot that has messages, as Django's PROTECT does, without reading every one of its messages.

    Raises:
        ProtectedError: the bot has messages; the error holds one of them.
    """
    if first := messages.order_by().first():
        raise ProtectedError(gettext("A bot that has messages can't be deleted."), {first})


refuse.lazy_sub_objs = True  # type: ignore[attr-defined]  # makes Django pass a lazy queryset


class Direction(models.TextChoices):
    FROM_BOT = "from", "From the bot"
    TO_BOT = "to", "To the bot"


class Message(ContentModel):
    """A message between a bot and a client. Only `services.erase_client` ever changes it."""

    history_indexes: ClassVar[Any] = (models.Index(fields=["client", "id"], name="messaging_history_client"),)

    bot = models.ForeignKey(
        Bot, on_delete=refuse, related_name="messages", db_index=False, help_text="The bot that sent or received it."
    )
    direction = models.CharField(max_length=4, choices=Direction, help_text="Which of the two sent it.")
    client = text_field(CLIENT_LENGTH, help_text="Whom the bot spoke with: the client's id, at most 128 characters.")
    conversation = models.UUIDField(help_text="The conversation that it belongs to; a UUID.")
    timestamp = models.DateTimeField(help_text="When it was sent, to the microsecond.")
    text = models.CharField(
        max_length=TEXT_LENGTH,
        validators=[not_blank, ProhibitNullCharactersValidator()],
        help_text=f"What was said, at most {TEXT_LENGTH:,} characters.",
    )

    class Meta(ContentModel.Meta):
        abstract = False
        default_permissions = ("add", "view", "import", "export")  # type: ignore[assignment]
        permissions = [
            ("erase_client", "Can erase a client"),
            ("export_client", "Can export all that is held on a client"),
        ]
        constraints = [
            text_constraint("client", CLIENT_LENGTH),
            text_constraint("text", TEXT_LENGTH),
            FieldCheck(
                field="direction",
                holds=lambda value: isinstance(value, str) and value in Direction.values,
                name="messaging_message_direction_known",
                condition=models.Q(direction__in=Direction.values),
                violation_error_message=format_lazy(
                    _("{field} must be one of {choices}."), field="direction", choices=", ".join(Direction.values)
                ),
            ),
        ]
        # One for each list of the API. The key makes the order of equal times definite.
        indexes = [
            models.Index(fields=["timestamp", "id"], name="messaging_message_time"),
            models.Index(fields=["conversation", "timestamp", "id"], name="messaging_message_conversation"),
            models.Index(fields=["bot", "timestamp", "id"], name="messaging_message_bot"),
            models.Index(fields=["client", "timestamp", "id"], name="messaging_message_client"),
        ]

    def __str__(self) -> str:
        """Return a name without text or client: the admin's log keeps it."""
        return f"Message {self.pk}"

    def clean(self) -> None:
        """Refuse to change a stored message."""
        stored = None if self._state.adding else type(self).objects.filter(pk=self.pk).first()
        if stored is not None and column_values(stored) != column_values(self):
            raise ValidationError(IMMUTABLE, code="immutable")


class Erasure(models.Model):
    """The record of an erasure: when, by whom, why and how much, but not which client."""

    client_digest = models.CharField(
        max_length=64,
        db_index=True,
        editable=False,
        help_text="Made from the client's id and the secret key; shows whether a known client was erased.",
    )
    erased_at = models.DateTimeField(auto_now_add=True, help_text="When it was done.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who did it. Empty: a command, or an account that is deleted.",
    )
    user_name = models.CharField(
        "user", max_length=256, blank=True, editable=False, help_text="The name of who did it. Empty: a command."
    )
    reason = models.CharField(
        max_length=100,
        validators=[not_blank, ProhibitNullCharactersValidator()],
        help_text="Why, without naming the client: the number of their request, for example.",
    )
    messages = models.PositiveIntegerField(default=0, help_text="How many messages were theirs.")
    counts = models.JSONField(
        default=dict, blank=True, help_text='What was erased where, {"versions": 3, "sessions": 1}.'
    )

    class Meta:
        ordering = ["-pk"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"Erasure {self.pk}"
