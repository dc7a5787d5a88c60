"""The fields of orders that a sync may carry. The store decides what is ordered, the warehouse its status."""

from content.orders.models import Order
from syncer.public import EXISTS, declare

declare(
    Order,
    fields=("id", "product_name", "quantity", "status", "created_at"),
    natural_key=("id",),
    authority={"product_name": "store", "quantity": "store", EXISTS: "store", "status": "warehouse"},
)
