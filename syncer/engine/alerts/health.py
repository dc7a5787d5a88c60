"""Which changes of a target's health become an alert: one when it becomes unhealthy, one when it is healthy again.

A target is unhealthy while it is blocked, or its circuit is open. It is healthy again once it was *seen* to answer: a
person who resumes a blocked target may or may not have fixed it, and the first good answer shows which. Until then
`unhealthy_since` stays.

A target that flaps must not fill mailboxes. An alert is sent when the change has lasted for ALERT_AFTER_SECONDS, which
doubles with each alert of the same kind that was sent for this target within an hour. If the change is undone before,
neither alert is sent: what operators believe is true again. A block never ends automatically, so its alert is sent at
once.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from syncer.core.outcome import unquoted
from syncer.models import Alert, Target

HOUR = timedelta(hours=1)
REASON_LENGTH = 512  # characters


def became_unhealthy(target: Target, why: str, *, now: datetime) -> None:
    """Create an alert unless operators know; in the caller's transaction, after the target's columns.

    Args:
        why: a whole sentence.
    """
    reason = unquoted(why)[:REASON_LENGTH]
    is_blocked = Target.objects.filter(pk=target.pk).exclude(blocked="").exists()
    if Target.objects.filter(pk=target.pk, unhealthy_since=None).update(unhealthy_since=now):
        _create(target, Alert.Kind.UNHEALTHY, now=now, reason=reason, at_once=is_blocked)
    elif is_blocked:  # it was unreachable, and now needs a person
        _unsent(target, Alert.Kind.UNHEALTHY).update(reason=reason, not_before=now)


def became_healthy(target: Target, *, now: datetime) -> None:
    """Create an alert that it answered, is not blocked, and its circuit is closed; in the caller's transaction."""
    well = Target.objects.filter(pk=target.pk, blocked="", opened_at=None, unhealthy_since__isnull=False)
    if well.update(unhealthy_since=None):
        _create(target, Alert.Kind.HEALTHY, now=now)


def _create(target: Target, kind: Alert.Kind, *, now: datetime, reason: str = "", at_once: bool = False) -> None:
    """Create an alert and clear the unsent one that it undoes; it is then cleared itself, unless it goes `at_once`.

    It waits 30, 60, 120 … 3600 seconds: a target that flaps causes some seven alerts an hour each way, and no more.
    """
    others = [other for other in Alert.Kind if other != kind]
    cleared = _unsent(target, *others).update(outcome=Alert.Outcome.CLEARED)
    sent = Alert.objects.filter(target=target, kind=kind, tries__gt=0, at__gt=now - HOUR).count()
    pause = min(timedelta(seconds=settings.ALERT_AFTER_SECONDS * 2.0 ** min(sent, 16)), HOUR)
    Alert.objects.create(
        target=target,
        kind=kind,
        reason=reason,
        at=now,
        not_before=now if at_once else now + pause,
        outcome=Alert.Outcome.CLEARED if cleared and not at_once else Alert.Outcome.OPEN,
    )


def _unsent(target: Target, *kinds: Alert.Kind) -> QuerySet[Alert]:
    return Alert.objects.filter(target=target, kind__in=kinds, outcome=Alert.Outcome.OPEN, tries=0)
