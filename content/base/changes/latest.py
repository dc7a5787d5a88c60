"""The latest change of each of some objects."""

from collections.abc import Collection
from typing import Any

from django.db.models import Max, Model

from backoffice.kit.history import history_of


def latest(model: type[Model], keys: Collection[Any]) -> dict[Any, Any]:
    """Return the newest history row of each of these objects, `{primary key: row}`, by one statement."""
    key, history = model._meta.pk.attname, history_of(model)._default_manager
    of_each = history.filter(**{f"{key}__in": keys}).order_by().values(key).annotate(newest=Max("history_id"))
    return {getattr(row, key): row for row in history.filter(history_id__in=of_each.values("newest"))}
