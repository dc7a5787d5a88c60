"""The eraser of what every content's history says beside the content: why it was changed, and by which request."""

from typing import Any

from django.apps import apps
from django.db.models import Q

from backoffice.kit.erasure import ERASED, Words, erase_in
from content.base.models import ContentModel


def history(words: Words) -> int:
    """The content itself is the rooms' own; see `backoffice.kit.erasure`."""
    models: list[Any] = [model for model in apps.get_models() if issubclass(model, ContentModel)]
    return sum(_reasons(model.history.all(), words) + _requests(model.history.all(), words) for model in models)


def _reasons(rows: Any, words: Words) -> int:
    """Many rows have the same reason, so the database gives each once."""
    given = rows.exclude(history_change_reason=None).order_by().values_list("history_change_reason", flat=True)
    found = [reason for reason in given.distinct() if words.are_in(reason, cut=True)]
    return sum(rows.filter(history_change_reason=reason).update(history_change_reason=ERASED) for reason in found)


def _requests(rows: Any, words: Words) -> int:
    """Nearly each row has a request of its own, named by who sent it: the database looks for the names."""
    named = Q()
    for name in words.names:
        named |= Q(request_id__contains=name)
    return erase_in(rows.filter(named), ("request_id",), words)
