"""Models that have history: what django-simple-history keeps of them, without asking who writes it."""

from typing import Any

from django.db import models


def has_history(model: type[models.Model]) -> bool:
    return hasattr(model._meta, "simple_history_manager_attribute") and not model._meta.proxy


def history_of(model: type[models.Model]) -> type[models.Model]:
    """The model of `model`'s history rows."""
    manager: Any = getattr(model, model._meta.simple_history_manager_attribute)  # type: ignore[attr-defined]
    found: type[models.Model] = manager.model
    return found


def column_values(obj: models.Model) -> dict[str, Any]:
    """The column values of `obj`, in the types that the database gives back: `{"attname": value}`."""
    return {field.attname: field.to_python(getattr(obj, field.attname)) for field in obj._meta.concrete_fields}
