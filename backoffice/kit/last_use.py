"""When something was last used: to a grain, so that not every use writes."""

from datetime import datetime, timedelta
from typing import Any

from django.db import Error
from django.db.models import Q, QuerySet
from django.utils import timezone

from backoffice.kit.database import is_unavailable


def note_use(rows: QuerySet[Any], column: str, last: datetime | None, *, every: timedelta, **values: object) -> None:
    """Set `column` of `rows` to now, and others to `values`, unless that was done less than `every` ago.

    Args:
        last: the column's value when it was read; of several requests at once only one writes.
    """
    now = timezone.now()
    if last is not None and last > now - every:
        return
    stale = Q(**{column: None}) | Q(**{f"{column}__lte": now - every})
    try:
        rows.filter(stale).update(**{column: now}, **values)
    except Error as error:
        if not is_unavailable(error):  # if it is, what is stored can still be read
            raise
