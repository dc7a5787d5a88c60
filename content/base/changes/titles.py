"""The names of objects in the history."""

from typing import Any

from django.core.exceptions import ObjectDoesNotExist


def title_of(row: Any) -> str:
    """Return the name that the object had in this history row; its number, if what names it is deleted."""
    obj = row.instance
    try:
        return str(obj)
    except ObjectDoesNotExist:
        return f"{obj._meta.verbose_name} {obj.pk}"
