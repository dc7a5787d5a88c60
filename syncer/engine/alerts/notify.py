"""Telling operators: alerts go out by e-mail and webhook.

The constraints:
1. An alert is told, whatever dies, and by one host only.
2. One channel that fails must not make the other tell again, nor hold it up.
3. Of one target each channel tells in the order in which things happened: "healthy again" is never followed by
   "unhealthy".

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
from syncer.engine.alerts.channels import CHANNELS, Channel, NotDeliveredError
from syncer.engine.alerts.words import Words
from syncer.models import Alert

log = logging.getLogger("syncer.engine.alerts.notify")
TASK = "syncer.engine.alerts.notify.tell"
# 5 to 30, 60, 120 … 3600 seconds apart, 1800 of them on average: some twelve hours in all.
TRIES = 30
FIRST_WAIT, LEAST_WAIT = 30.0, 5.0  # seconds
KEPT = timedelta(days=90)
ENDED = "Each try ended before it could be told; the worker's log says why."
ERROR_LENGTH = 512  # characters
Outcome = Alert.Outcome


def sweep() -> int:
    """Wake a worker for each notice that is due; how many. Run every second or so, by every host."""
    found = list(_open().order_by("pk").values_list("pk", "tries", "not_before"))
    if not found:
        return 0
    now = clock.now()
    return sum(_wake(pk, tries, not_before, now) for pk, tries, not_before in found if not_before <= now)


def _open() -> QuerySet[Alert]:
    return Alert.objects.filter(outcome=Outcome.OPEN)


def _wake(pk: int, tries: int, not_before: datetime, now: datetime) -> int:
    if not _open().filter(pk=pk, tries=tries, not_before=not_before).update(not_before=_lease(now)):
        return 0  # another host was quicker
    async_task(TASK, pk, tries, group="alerts", task_name=f"alert {pk}")
    return 1


def _lease(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.SYNC_LEASE_SECONDS)


def tell(pk: int, tries: int) -> None:
    """Tell an alert by each channel that has not taken it; the queue's task.

    Args:
        tries: how often it was tried before, when it was woken; if it was tried since, that wake-up is over.
    """
    if not _open().filter(pk=pk, tries=tries).update(tries=tries + 1, not_before=_lease(clock.now())):
        return
    alert = Alert.objects.select_related("target").get(pk=pk)
    if tries >= TRIES:
        _close(alert, [ENDED])
        return
    words = Words.of(alert)
    if tries == 0:
        log.warning("%s%s", words.headline, alert.reason and f": {alert.reason}")
    _close(alert, [why for channel in CHANNELS if (why := _by(channel, alert, words))])


def _by(channel: Channel, alert: Alert, words: Words) -> str:
    """Tell it by this channel, and note it; why that failed, or nothing."""
    if not channel.is_set() or getattr(alert, channel.column):
        return ""
    before = _open().filter(target=alert.target, pk__lt=alert.pk, **{channel.column: None})
    try:
        if before.exists():
            raise NotDeliveredError("has not taken the alert before this one")
        channel.tell(words)
    except NotDeliveredError as error:
        return f"{channel.name} {error}."
    Alert.objects.filter(pk=alert.pk).update(**{channel.column: clock.now()})
    return ""


def _close(alert: Alert, errors: list[str]) -> None:
    """Nothing is left to tell; or later again; or never more. A worker that was taken over from closes nothing."""
    error = " ".join(errors)[:ERROR_LENGTH]
    mine = _open().filter(pk=alert.pk, tries=alert.tries)
    if errors and alert.tries < TRIES:
        wait = timedelta(seconds=backoff(alert.tries, random.random(), first=FIRST_WAIT, least=LEAST_WAIT))  # noqa: S311
        mine.update(error=error, not_before=clock.now() + wait)
        log.warning("alert %s was not told: %s", alert.pk, error)
        return
    outcome = Outcome.GIVEN_UP if errors else _told(alert)
    if mine.update(outcome=outcome, error=error) and errors:
        log.error("alert %s is given up after %s tries: %s", alert.pk, alert.tries, error)
    _prune()


def _told(alert: Alert) -> Alert.Outcome:
    alert.refresh_from_db(fields=[channel.column for channel in CHANNELS])
    return Outcome.NOTIFIED if any(getattr(alert, channel.column) for channel in CHANNELS) else Outcome.NO_CHANNEL


def _prune() -> None:
    """Where one is closed, so that looking for what is due costs nothing more."""
    Alert.objects.exclude(outcome=Outcome.OPEN).filter(at__lt=clock.now() - KEPT).delete()
