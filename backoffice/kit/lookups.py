"""A number that a column can't hold is in none of its rows. Django knows that of `exact`, but not of `in`."""

from collections.abc import Iterable
from typing import Any

from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models import IntegerField
from django.db.models.lookups import In

RANGES = BaseDatabaseOperations.integer_field_ranges  # of PostgreSQL; SQLite's columns hold more, and ours don't


class HeldIn(In):
    """`in` without the numbers that are beyond the column: the database would refuse the statement."""

    def get_prep_lookup(self) -> Any:
        values = super().get_prep_lookup()
        if not isinstance(self.rhs, Iterable) or not self.rhs_is_direct_value():
            return values
        low, high = RANGES[self.lhs.output_field.get_internal_type()]
        return [value for value in values if not isinstance(value, int) or low <= value <= high]


def install() -> None:
    IntegerField.register_lookup(HeldIn)
