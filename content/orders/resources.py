from content.base.resource import ContentResource
from content.orders.models import Order


class OrderResource(ContentResource):
    class Meta:
        model = Order
        fields = ("id", "product_name", "quantity", "status")
        caller_keys = True
