"""Sample items."""

from random import Random

from content.tasks.models import Item

ITEMS = 40

VERBS = ("Check", "Order", "Repair", "Replace", "Count", "Clean", "Label", "Describe")
THINGS = (
    "the forklift's battery", "the scanner at gate three", "the price labels of the spring range",
    "the shelves in aisle seven", "the spare keys", "the packing tape", "the printer in the office",
    "the lights at the loading bay", "the first-aid boxes", "the pallets from last week",
)  # fmt: skip
REASONS = (
    "It was noticed at the last walk through the hall.",
    "The branch asked for it twice.",
    "It is due every quarter.",
    "The new supplier needs it before the first delivery.",
    "Two orders waited for it yesterday.",
)
NOTES = (
    "Take a photograph before and after.",
    "Write the number on the list at the entrance.",
    "Tell the office when it is done.",
    "It takes about twenty minutes.",
    "Ask the service desk for the key.",
)


def create(random: Random) -> int:
    """Write the samples with their history, and return how many there are."""
    return len(Item.objects.bulk_create([_item(random) for _ in range(ITEMS)]))


def _item(random: Random) -> Item:
    description = " ".join([random.choice(REASONS), *random.sample(NOTES, 2)])
    # Some items name a record of the demo's other node; the others have the record of their own number.
    external_id = str(random.randint(1, 100)) if random.random() < 0.5 else ""
    title = f"{random.choice(VERBS)} {random.choice(THINGS)}"
    return Item(title=title, description=description, external_id=external_id)
