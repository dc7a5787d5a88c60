from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from backoffice.kit.filters import TimeRangeFilter
from content.base.admin import ContentAdmin
from content.orders.models import Order, Status
from content.orders.resources import OrderResource

COLORS = {Status.PENDING: "warning", Status.SHIPPED: "info", Status.DELIVERED: "success"}


@admin.register(Order)
class OrderAdmin(ContentAdmin):
    list_display = ("product_name", "quantity", "stage", "created_at", "id")
    list_filter = (("status", ChoicesCheckboxFilter), ("created_at", TimeRangeFilter))
    search_fields = ("product_name", "id")
    ordering = ("-created_at", "-pk")
    fields = ("product_name", "quantity", "status")
    readonly_fields = ("id", "created_at", "updated_at")
    resource_classes = (OrderResource,)

    def get_fields(self, request: HttpRequest, obj: Order | None = None) -> tuple[str, ...]:
        return (*self.fields, *self.readonly_fields) if obj else self.fields

    @display(description=_("Status"), ordering="status", label=COLORS)  # type: ignore[untyped-decorator]
    def stage(self, order: Order) -> tuple[str, str]:
        return order.status, order.get_status_display()
