"""Erase words from the reasons and request ids in the history of all content, and from what is known of imports."""

from django.apps import apps
from django.db.models import Q

from backoffice.kit.erasure import ERASED, Words, erase_in
from content.base.imports.model import Import
from content.base.models import ContentModel

IMPORT_TEXTS = ("file_name", "reason", "error", "found", "headings", "columns", "rows", "requests")


def history(words: Words) -> int:
    """Erase `words` from the history of all content, and return how many rows changed.

    Each domain erases its content itself; see `backoffice.kit.erasure`.
    """
    # Callers choose the ids of requests and nearly all differ, so the database searches them.
    names_in_request_id = Q()
    for name in words.names:
        names_in_request_id |= Q(request_id__contains=name)
    erased = 0
    for rows in (model.history.all() for model in apps.get_models() if issubclass(model, ContentModel)):
        # Many rows share a reason, so each distinct reason is searched once.
        reasons = rows.exclude(history_change_reason=None).order_by().values_list("history_change_reason", flat=True)
        for reason in reasons.distinct():
            if words.are_in(reason, cut=True):
                erased += rows.filter(history_change_reason=reason).update(history_change_reason=ERASED)
        erased += erase_in(rows.filter(names_in_request_id), ("request_id",), words)
    return erased


def imports(words: Words) -> int:
    """Erase `words` from what is known of imports; their files are erased with all that wait."""
    return erase_in(Import.objects.all(), IMPORT_TEXTS, words, cut=True)
