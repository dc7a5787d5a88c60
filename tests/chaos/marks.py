"""The mark of an object: the first word of its title or name, which it keeps for life, here and at every remote."""

from functools import cache
from typing import Any

from django.apps import apps

COLUMNS = {"news.Post": "title", "news.Comment": "name"}


@cache
def mark_of(label: str, pk: int) -> str:
    """By the history, as the object may be gone; empty: it never was."""
    column = COLUMNS[label]
    found: Any = apps.get_model(label).history.filter(id=pk)
    return str(found.values_list(column, flat=True).first() or "").split(" ")[0]


def mark_in(record: Any) -> str:
    """Of a record, of what was sent of it, or of the query that looked for it; empty: it tells none."""
    if not isinstance(record, dict):
        return ""
    return str(record.get("title") or record.get("name") or "").split(" ")[0]
