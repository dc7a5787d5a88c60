"""Erase words from the reasons and request ids in the history of all content."""

from django.apps import apps
from django.db.models import Q

from backoffice.kit.erasure import ERASED, Words, erase_in
from content.base.models import ContentModel


def history(words: Words) -> int:
    """Erase `words` from the history of all content, and return how many rows changed.

    Each domain erases its content itself; see `backoffice.kit.erasure`.
    """
    models = [model for model in apps.get_models() if issubclass(model, ContentModel)]
    return sum(_erase_reasons(model, words) + _erase_request_ids(model, words) for model in models)


def _erase_reasons(model: type[ContentModel], words: Words) -> int:
    """Erase reasons that hold one of the words. Many rows share a reason, so each distinct reason is searched once."""
    rows = model.history.all()
    reasons = rows.exclude(history_change_reason=None).order_by().values_list("history_change_reason", flat=True)
    matching = [reason for reason in reasons.distinct() if words.are_in(reason, cut=True)]
    return sum(rows.filter(history_change_reason=reason).update(history_change_reason=ERASED) for reason in matching)


def _erase_request_ids(model: type[ContentModel], words: Words) -> int:
    """Erase the names from request ids. Callers choose the ids and nearly all differ, so the database searches them."""
    condition = Q()
    for name in words.names:
        condition |= Q(request_id__contains=name)
    return erase_in(model.history.filter(condition), ("request_id",), words)
