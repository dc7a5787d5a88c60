from typing import Any

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter
from unfold.decorators import display

from content.base.admin import ContentAdmin
from content.orders.models import Order, Status
from content.orders.resources import OrderResource

COLORS = {Status.PENDING: "warning", Status.SHIPPED: "info", Status.DELIVERED: "success"}


@admin.register(Order)
class OrderAdmin(ContentAdmin):
    list_display = ("product_name", "quantity", "stage", "created_at", "id")
    list_filter = (("status", ChoicesCheckboxFilter), ("created_at", RangeDateTimeFilter))
    search_fields = ("product_name", "=id")
    ordering = ("-created_at", "-pk")
    fields = ("product_name", "quantity", "status")
    readonly_fields = ()
    resource_classes = (OrderResource,)

    @display(description="Status", ordering="status", label=COLORS)
    def stage(self, order: Order) -> Any:
        return order.status, order.get_status_display()
