"""Models with history, as django-simple-history registers them."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db import models


def has_history(model: type[models.Model]) -> bool:
    """Return whether django-simple-history keeps the versions of `model`."""
    return hasattr(model._meta, "simple_history_manager_attribute") and not model._meta.proxy


@cache  # django-simple-history makes the manager, and its class, again each time
def history_of(model: type[models.Model]) -> type[models.Model]:
    """Return the model of `model`'s history rows."""
    options: Any = model._meta
    manager: models.Manager[models.Model] = getattr(model, options.simple_history_manager_attribute)
    return manager.model


def newest_version(model: type[models.Model]) -> int:
    """Return the id of the newest history row of a model; 0 if it has none."""
    newest: int | None = history_of(model)._default_manager.aggregate(newest=models.Max("history_id"))["newest"]
    return newest or 0


def column_values(obj: models.Model) -> dict[str, Any]:
    """Return the column values of `obj`, in the types that the database returns: `{"attname": value}`."""
    return {field.attname: field.to_python(getattr(obj, field.attname)) for field in obj._meta.concrete_fields}


def time_of(value: datetime | str) -> datetime:
    """Return a time that a statement of our own has read; SQLite gives one in UTC without its zone, often as a text."""
    time = datetime.fromisoformat(value) if isinstance(value, str) else value
    return time if time.tzinfo else time.replace(tzinfo=UTC)
