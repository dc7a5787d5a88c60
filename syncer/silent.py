"""Silent writes: when each model is looked at for rows that were changed without history, and what is told of it.

A look is the queue's work, in slices, so that it holds up no delivery. Where it is lost, it is asked for again.
"""

import logging
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django_q.tasks import async_task

from backoffice.kit import clock
from syncer.keys import key_of
from syncer.mapping import declarations
from syncer.models import HistoryCheck
from syncer.unrecorded import look_again, pages, record

log = logging.getLogger("syncer.silent")
TASK = "syncer.tasks.look_for_silent_writes"
LOST = timedelta(hours=1)  # after it a look that has not ended is asked for anew
SAMPLE = 20  # rows that are named


@dataclass(frozen=True, kw_only=True)
class Look:
    """How far a look at one model is.

    Attributes:
        after: the last key that was looked at, as the database gives it; None: none yet.
        found: rows that differed, of which `recorded` no longer do.
        sample: some of them, `(("5", "changed"), …)`.
    """

    model: str
    record: bool = False
    user_id: Any = None
    after: Any = None
    found: int = 0
    recorded: int = 0
    sample: tuple[tuple[str, str], ...] = ()


def sweep() -> int:
    """Look where it is time to; how many looks were asked for. Run every second: it reads one small table."""
    rows = {row.model: row for row in HistoryCheck.objects.only("model", "asked_at", "checked_at")}
    if missing := [HistoryCheck(model=label) for label in declarations() if label not in rows]:
        HistoryCheck.objects.bulk_create(missing, ignore_conflicts=True)
    now, asked = clock.now(), 0
    for row in rows.values():
        if row.model in declarations() and _is_due(row, now) and claim(row, now):
            ask(Look(model=row.model, record=settings.SILENT_CHECK_RECORD))
            asked += 1
    return asked


def _is_due(row: HistoryCheck, now: datetime) -> bool:
    if settings.SILENT_CHECK_HOURS <= 0:
        return False
    if row.asked_at is None:
        return True
    is_lost = (row.checked_at is None or row.checked_at < row.asked_at) and row.asked_at <= now - LOST
    return is_lost or row.asked_at <= now - timedelta(hours=settings.SILENT_CHECK_HOURS)


def claim(row: HistoryCheck, now: datetime) -> bool:
    """Of all hosts that see that its time has come, one asks: the one whose write finds the row as it was read."""
    return HistoryCheck.objects.filter(pk=row.pk, asked_at=row.asked_at).update(asked_at=now) == 1


def ask(look: Look) -> None:
    """Have a worker look, or go on with it."""
    async_task(TASK, look, group="history check", task_name=look.model)


def go_on(look: Look, *, seconds: float = float("inf")) -> Look | None:
    """Look for as long as `seconds`; what is left to do, None: nothing, and what was found is told."""
    declaration = declarations().get(look.model)
    if declaration is None:
        return None
    model, until = declaration.model, time.monotonic() + seconds
    for page in pages(model, look.after):
        found = record(model, page.suspects, user_id=look.user_id) if look.record else look_again(model, page.suspects)
        named = tuple((key_of(model, one.pk), str(one.kind)) for one in found)
        look = replace(
            look,
            after=page.last,
            found=look.found + len(found),
            recorded=look.recorded + len(found) * look.record,
            sample=(*look.sample, *named)[:SAMPLE],
        )
        if time.monotonic() > until:
            return look
    _tell(look)
    return None


def _tell(look: Look) -> None:
    if look.found:
        done = "and are recorded now" if look.record else "so no target has heard of it; see: manage.py check_history"
        log.warning("%s: %s rows were changed without history, %s", look.model, look.found, done)
    HistoryCheck.objects.update_or_create(
        model=look.model,
        defaults={
            "checked_at": clock.now(),
            "found": look.found,
            "recorded": look.recorded,
            "sample": list(look.sample),
        },
    )
