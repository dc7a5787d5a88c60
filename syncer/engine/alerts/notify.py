"""Telling operators: notices go out by e-mail and webhook.

The constraints:
1. A notice is told, whatever dies, and by one host only.
2. One channel that fails must not make the other tell again, nor hold it up.
3. Of one target each channel tells in the order in which things happened: "well again" is never followed by "not well".

The design: `sweep`, which every host runs, takes what is due by moving `not_before` on as a lease, and asks the queue
to tell it. Telling begins by counting the try, in a write that only one can make; then it sends outside every
transaction, and notes of each channel when that took it. What a worker sent that died before it noted so is sent again
when the lease ends, under the same Message-ID and `webhook-id`, so that the repeat can be recognised.
"""

import logging
import random
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django_q.tasks import async_task

from backoffice.kit import clock
from backoffice.kit.retry import backoff
from syncer.engine.alerts.channels import CHANNELS, Channel, NotTold
from syncer.engine.alerts.words import Words
from syncer.models import Notice

log = logging.getLogger("syncer.engine.alerts.notify")
TASK = "syncer.engine.alerts.notify.tell"
# 5 to 30, 60, 120 … 3600 seconds apart, 1800 of them on average: some twelve hours in all.
TRIES = 30
FIRST_WAIT, LEAST_WAIT = 30.0, 5.0  # seconds
KEPT = timedelta(days=90)
ENDED = "Each try ended before it could be told; the worker's log says why."
ERROR_LENGTH = 512  # characters
Outcome = Notice.Outcome


def sweep() -> int:
    """Wake a worker for each notice that is due; how many. Run every second or so, by every host."""
    found = list(_open().order_by("pk").values_list("pk", "tries", "not_before"))
    if not found:
        return 0
    now = clock.now()
    return sum(_wake(pk, tries, not_before, now) for pk, tries, not_before in found if not_before <= now)


def _open() -> QuerySet[Notice]:
    return Notice.objects.filter(outcome=Outcome.OPEN)


def _wake(pk: int, tries: int, not_before: datetime, now: datetime) -> int:
    if not _open().filter(pk=pk, tries=tries, not_before=not_before).update(not_before=_lease(now)):
        return 0  # another host was quicker
    async_task(TASK, pk, tries, group="notices", task_name=f"notice {pk}")
    return 1


def _lease(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.SYNC_LEASE_SECONDS)


def tell(pk: int, tries: int) -> None:
    """Tell a notice by each channel that has not taken it; the queue's task.

    Args:
        tries: how often it was tried before, when it was woken; if it was tried since, that wake-up is over.
    """
    if not _open().filter(pk=pk, tries=tries).update(tries=tries + 1, not_before=_lease(clock.now())):
        return
    notice = Notice.objects.select_related("target").get(pk=pk)
    if tries >= TRIES:
        _close(notice, [ENDED])
        return
    words = Words.of(notice)
    if tries == 0:
        log.warning("%s%s", words.headline, notice.reason and f": {notice.reason}")
    _close(notice, [why for channel in CHANNELS if (why := _by(channel, notice, words))])


def _by(channel: Channel, notice: Notice, words: Words) -> str:
    """Tell it by this channel, and note it; why that failed, or nothing."""
    if not channel.is_set() or getattr(notice, channel.column):
        return ""
    before = _open().filter(target=notice.target, pk__lt=notice.pk, **{channel.column: None})
    try:
        if before.exists():
            raise NotTold("has not taken the notice before this one")
        channel.tell(words)
    except NotTold as error:
        return f"{channel.name} {error}."
    Notice.objects.filter(pk=notice.pk).update(**{channel.column: clock.now()})
    return ""


def _close(notice: Notice, errors: list[str]) -> None:
    """Nothing is left to tell; or later again; or never more. A worker that was taken over from closes nothing."""
    error = " ".join(errors)[:ERROR_LENGTH]
    mine = _open().filter(pk=notice.pk, tries=notice.tries)
    if errors and notice.tries < TRIES:
        wait = timedelta(seconds=backoff(notice.tries, random.random(), first=FIRST_WAIT, least=LEAST_WAIT))  # noqa: S311
        mine.update(error=error, not_before=clock.now() + wait)
        log.warning("notice %s was not told: %s", notice.pk, error)
        return
    outcome = Outcome.GIVEN_UP if errors else _told(notice)
    if mine.update(outcome=outcome, error=error) and errors:
        log.error("notice %s is given up after %s tries: %s", notice.pk, notice.tries, error)
    _prune()


def _told(notice: Notice) -> Notice.Outcome:
    notice.refresh_from_db(fields=[channel.column for channel in CHANNELS])
    return Outcome.TOLD if any(getattr(notice, channel.column) for channel in CHANNELS) else Outcome.NOBODY


def _prune() -> None:
    """Where one is closed, so that looking for what is due costs nothing more."""
    Notice.objects.exclude(outcome=Outcome.OPEN).filter(at__lt=clock.now() - KEPT).delete()
