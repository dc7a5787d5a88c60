"""Parking: an import first frees the unique values that it passes on, so that only its end state is judged.

Both databases check a unique constraint row by row, and PostgreSQL can't defer one over an expression. So the objects
that have a value which another row of the file gets are first given placeholders. An error rolls the whole import
back, so no placeholder is ever committed. See docs/adr/0022.
"""

import random
from collections.abc import Collection, Sequence
from typing import Any
from uuid import uuid4

from django.db import DataError, IntegrityError, models, transaction
from django.db.models import Max

from backoffice.kit.history import history_of


def park(model: Any, columns: Sequence[str], keys: Collection[Any]) -> bool:
    """Give the fields `columns` of these objects, whose rows are locked, placeholders, which leave no history.

    Returns:
        False if a constraint allows no placeholder; then the objects are as they were.
    """
    pk, fields = model._meta.pk, [model._meta.get_field(column) for column in columns]
    versions = history_of(model)._default_manager.filter(**{f"{pk.name}__in": keys})
    newest = versions.aggregate(newest=Max("history_id"))["newest"] or 0
    parked = [model(pk=key, **{field.name: _placeholder(field) for field in fields}) for key in keys]
    try:
        with transaction.atomic():
            model.objects.bulk_update(parked, columns)
            versions.filter(history_id__gt=newest).delete()  # ours alone: the rows are locked
    except (DataError, IntegrityError):
        return False
    return True


def _placeholder(field: Any) -> Any:
    """Return a random value; that another object has it is as good as impossible, and would only refuse the file."""
    if isinstance(field, models.IntegerField):
        return random.randrange(2**30, 2**31)  # noqa: S311 - no secret
    value = uuid4()
    return value if isinstance(field, models.UUIDField) else value.hex[: field.max_length]
