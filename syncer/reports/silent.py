"""What a page says of content that was changed without history."""

from typing import Any

from django.db.models import F

from syncer.models import HistoryCheck

MAY_SEE = ("syncer.view_historycheck", "syncer.sync_target")


def silent_left(user: Any) -> list[Any]:
    """The looks that found what was not recorded, each with `left`, how many rows; for those who may see them."""
    if not any(map(user.has_perm, MAY_SEE)):
        return []
    found = HistoryCheck.objects.filter(found__gt=F("recorded"))
    return list(found.annotate(left=F("found") - F("recorded")))
