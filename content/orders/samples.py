"""Sample orders. Their ids are the same everywhere, so that two nodes start with the same orders."""

from datetime import timedelta
from random import Random
from uuid import UUID

from django.utils import timezone

from content.orders.models import Order, Status

ORDERS = 200
DAYS = 60  # the age of the oldest order

KINDS = ("Wooden", "Folding", "Stackable", "Oiled", "Painted", "Small", "Large", "Spare")
THINGS = (
    "shelf board", "desk lamp", "drawer box", "wall hook", "side table", "book end", "cable tray", "seat cushion",
    "table leg", "mirror frame", "coat stand", "umbrella stand",
)  # fmt: skip
PACKS = ("", "", "", ", pair", ", set of 4", ", flat pack")
QUANTITIES = (1, 1, 1, 2, 2, 3, 4, 6, 10, 12, 24, 100)


def create(random: Random) -> int:
    """Write the samples with their history, and return how many there are."""
    return len(Order.objects.bulk_create([_order(random) for _ in range(ORDERS)]))


def _order(random: Random) -> Order:
    age = random.random() * DAYS
    return Order(
        id=UUID(int=random.getrandbits(128), version=4),
        product_name=f"{random.choice(KINDS)} {random.choice(THINGS)}{random.choice(PACKS)}",
        quantity=random.choice(QUANTITIES),
        status=_status(random, age),
        created_at=timezone.now() - timedelta(days=age),
    )


def _status(random: Random, age: float) -> Status:
    """Return a status: the older an order (in days), the later its stage."""
    stage = age + random.uniform(-4, 4)
    return Status.PENDING if stage < 6 else Status.SHIPPED if stage < 14 else Status.DELIVERED
