"""Sending alerts to operators, by e-mail and webhook.

The constraints:
1. An alert is sent, whichever process dies, and by one host only.
2. A channel that fails must neither delay the other channel nor make it send again.
3. Each channel sends the alerts of a target in the order of events: "healthy again" is never followed by "unhealthy".

The design: `sweep`, which every host runs, takes each alert that is due by moving its `not_before` on, as a lease, and
queues a task. The task first counts its try, in a write that only one worker can make. It then sends outside every
transaction, and records for each channel when it accepted the alert. An alert whose worker died between sending and
recording is sent again when the lease ends, under the same `Message-ID` and `webhook-id`, so that the repeat can be
recognized.
"""

import logging
import random
from datetime import timedelta

from django.db.models import QuerySet
from django_q.tasks import async_task

from backoffice.kit import clock, lease
from backoffice.kit.phrases import joined, message_of, phrase
from backoffice.kit.retry import backoff
from syncer.engine.alerts.channels import CHANNELS, AlertMessage, Channel, NotDeliveredError
from syncer.models import Alert

log = logging.getLogger("syncer.engine.alerts.notify")
TASK = "syncer.engine.alerts.notify.send_alert"
# 5 to 30, 60, 120 … 3600 seconds apart, 1800 of them on average: some twelve hours in all.
TRIES = 30
FIRST_WAIT, LEAST_WAIT = 30.0, 5.0  # seconds
KEPT = timedelta(days=90)
ENDED = phrase("Each try ended before the alert could be sent; the worker's log says why.")


def sweep() -> int:
    """Queue a task for each alert that is due; return how many. Every host runs it every second or so."""
    if not _open().exists():
        return 0
    queued = 0
    for alert in lease.take_expired(_open().order_by("pk"), now=clock.now(), column="not_before"):
        async_task(TASK, alert.pk, alert.tries, group="alerts", task_name=f"alert {alert.pk}")
        queued += 1
    return queued


def _open() -> QuerySet[Alert]:
    return Alert.objects.filter(outcome=Alert.Outcome.OPEN)


def send_alert(pk: int, tries: int) -> None:
    """Send an alert by each channel that has not accepted it; the queue's task.

    It does nothing if there was a try since it was queued, when there had been `tries`.
    """
    if not _open().filter(pk=pk, tries=tries).update(tries=tries + 1, not_before=lease.ends()):
        return
    alert = Alert.objects.select_related("target").get(pk=pk)
    if tries >= TRIES:
        _close(alert, [ENDED])
        return
    message = AlertMessage.of(alert)
    if tries == 0:
        log.warning("%s%s", message.headline, alert.reason and f": {alert.reason}")
    _close(alert, [why for channel in CHANNELS if (why := _send(channel, message))])


def _send(channel: Channel, message: AlertMessage) -> str:
    """Send by one channel, unless it has accepted the alert, and record the time; return why it failed, or empty."""
    alert = message.alert
    if not channel.is_set() or getattr(alert, channel.column):
        return ""
    earlier = _open().filter(target=alert.target, pk__lt=alert.pk, **{channel.column: None})
    try:
        if earlier.exists():
            raise NotDeliveredError(phrase("has not taken the alert before this one"))
        channel.send(message)
    except NotDeliveredError as error:
        return phrase("%(channel)s %(why)s.", channel=channel.name, why=message_of(error))
    setattr(alert, channel.column, clock.now())
    Alert.objects.filter(pk=alert.pk).update(**{channel.column: getattr(alert, channel.column)})
    return ""


def _close(alert: Alert, errors: list[str]) -> None:
    """Close an alert, or set the time of its next try. A worker whose try was taken over changes nothing."""
    error = joined(errors) if errors else ""
    mine = _open().filter(pk=alert.pk, tries=alert.tries)
    if errors and alert.tries < TRIES:
        wait = timedelta(seconds=backoff(alert.tries, random.random(), first=FIRST_WAIT, least=LEAST_WAIT))  # noqa: S311
        mine.update(error=error, not_before=clock.now() + wait)
        log.warning("alert %s was not sent and is tried again: %s", alert.pk, error)
        return
    if errors:
        outcome = Alert.Outcome.GIVEN_UP
    elif any(getattr(alert, channel.column) for channel in CHANNELS):
        outcome = Alert.Outcome.NOTIFIED
    else:
        outcome = Alert.Outcome.NO_CHANNEL
    if mine.update(outcome=outcome, error=error) and errors:
        log.error("alert %s is given up after %s tries: %s", alert.pk, alert.tries, error)
    # Old alerts are pruned here, so that the sweep stays one query while nothing is due.
    Alert.objects.exclude(outcome=Alert.Outcome.OPEN).filter(at__lt=clock.now() - KEPT).delete()
