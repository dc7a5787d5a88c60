"""What of the orders may travel. The store decides what was ordered, the warehouse how far it got."""

from content.orders.models import Order
from syncer.public import EXISTS, declare

declare(
    Order,
    fields=("id", "product_name", "quantity", "status", "created_at"),
    natural_key=("id",),
    authority={"product_name": "store", "quantity": "store", EXISTS: "store", "status": "warehouse"},
)
