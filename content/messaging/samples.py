"""Sample bots and conversations. The clients are numbers; no real person is among them."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from content.messaging.models import Bot, Direction, Message

NAMES = ("Order status", "Returns desk", "Opening hours", "Gift vouchers", "Repair service")
CONVERSATIONS = 30
SHORTEST, LONGEST = 6, 14  # messages in a conversation
BEGINNING = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
DAYS = 60

QUESTIONS = (
    "Where is my delivery?",
    "Can I change the address of a delivery?",
    "Are you open on Saturday?",
    "The lid of the box is broken.",
    "How long is a voucher valid?",
    "I have sent it back last week; did it arrive?",
    "Which papers do you need for a repair?",
    "Thank you, that is all.",
    "Could somebody call me back?",
    "It was one piece less than on the list.",
)
ANSWERS = (
    "It left our warehouse this morning and arrives within two days.",
    "Please tell me the number of the order; it begins with a letter.",
    "We are open from nine to six, on Saturdays until two.",
    "I am sorry about that. A new one goes out today, free of charge.",
    "Vouchers are valid for three years.",
    "It arrived, and the money is on its way to you.",
    "The receipt is enough.",
    "You are welcome.",
    "I have passed your question on to the service desk.",
    "Thank you for telling us; we have corrected the list.",
)


def create(random: Random) -> int:
    """Write the samples with their history, and return how many there are."""
    bots = Bot.objects.bulk_create([Bot(id=_uuid(random), name=name) for name in NAMES])
    unsorted = [message for _ in range(CONVERSATIONS) for message in _conversation(random, random.choice(bots))]
    # Sorted by time, so that the ids are in the order of time too.
    messages = Message.objects.bulk_create(sorted(unsorted, key=lambda message: message.timestamp))
    return len(bots) + len(messages)


def _conversation(random: Random, bot: Bot) -> list[Message]:
    client, conversation = f"client-{random.randrange(10**6):06}", _uuid(random)
    at = BEGINNING + timedelta(seconds=random.randrange(DAYS * 24 * 60 * 60))
    messages = []
    for number in range(random.randint(SHORTEST, LONGEST)):
        direction = Direction.FROM_BOT if number % 2 else Direction.TO_BOT
        text = random.choice(ANSWERS if number % 2 else QUESTIONS)
        messages.append(
            Message(bot=bot, direction=direction, client=client, conversation=conversation, timestamp=at, text=text)
        )
        at += timedelta(seconds=random.randint(2, 90), microseconds=random.randrange(10**6))
    return messages


def _uuid(random: Random) -> UUID:
    return UUID(int=random.getrandbits(128), version=4)
