from content.base.api import Resource, build_router
from content.orders.models import Order

orders = Resource(
    Order,
    path="orders",
    root=True,
    fields=("product_name", "quantity", "status", "created_at", "updated_at"),
    filters=("status", "product_name", "quantity", "quantity__gte", "quantity__lte", "created_at__gte"),
    sort=("-created_at", "product_name", "quantity", "status", "updated_at"),
    search=("product_name",),
    key="caller",
)

router = build_router(orders)
