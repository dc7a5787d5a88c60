from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from content.base.fields import FieldCheck, order_indexes, text_constraint, text_field
from content.base.models import ContentModel

LARGEST = 2**31 - 1  # the largest PostgreSQL `integer`; SQLite's columns enforce no range


class Status(models.TextChoices):
    """The stages of an order, in their sequence."""

    PENDING = "PENDING", "Pending"
    SHIPPED = "SHIPPED", "Shipped"
    DELIVERED = "DELIVERED", "Delivered"


STAGES = {str(status): stage for stage, status in enumerate(Status)}


class Order(ContentModel):
    """An order that a store and a warehouse share; its id is the same on both nodes."""

    searched = ("product_name",)

    id = models.UUIDField(
        "ID",
        primary_key=True,
        default=uuid4,
        editable=False,
        help_text="The same id at the store and at the warehouse.",
    )
    product_name = text_field(255, help_text="What is ordered: one line, at most 255 characters.")
    quantity = models.IntegerField(validators=[MinValueValidator(1)], help_text="How many pieces, at least 1.")
    status = models.CharField(
        max_length=9,
        choices=Status,
        default=Status.PENDING,
        help_text="Goes forward, past a stage too; only a user with the permission to reopen orders sets it back.",
    )
    # Not `auto_now_add`: an order that comes back from its history was not created again.
    created_at = models.DateTimeField(default=timezone.now, editable=False, help_text="When the order was made.")
    updated_at = models.DateTimeField(auto_now=True, help_text="When it was changed last.")

    class Meta(ContentModel.Meta):
        abstract = False
        indexes = [
            models.Index(fields=["created_at", "id"], name="orders_order_newest"),
            *order_indexes("orders_order", "product_name", "quantity", "status", "updated_at"),
        ]
        constraints = [
            text_constraint("product_name", 255),
            FieldCheck(
                field="quantity",
                holds=lambda value: isinstance(value, int) and 1 <= value <= LARGEST,
                name="orders_order_quantity_range",
                condition=models.Q(quantity__gte=1, quantity__lte=LARGEST),
                violation_error_message=format_lazy(
                    _("{field} must be a whole number from {low} to {high}."), field="quantity", low=1, high=LARGEST
                ),
            ),
            FieldCheck(
                field="status",
                holds=lambda value: isinstance(value, str) and value in STAGES,
                name="orders_order_status_known",
                condition=models.Q(status__in=list(STAGES)),
                violation_error_message=format_lazy(
                    _("{field} must be one of {choices}."), field="status", choices=", ".join(STAGES)
                ),
            ),
        ]
        permissions = [("reopen_order", "Can set the status of an order back")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product_name}"  # noqa: RUF001 - the sign of multiplication is meant

    def restrictions(self, before: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield from super().restrictions(before)
        # An unknown status is refused by its constraint.
        if self.status in STAGES and STAGES[self.status] < STAGES[before["status"]]:
            yield "status", "orders.reopen_order"
