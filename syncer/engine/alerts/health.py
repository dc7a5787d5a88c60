"""Whether a target is well, as operators are told: once when it goes bad, once when it is healthy again.

A target is bad while it is blocked, or its circuit is open. Well again is only what was *seen* to be well: a person who
resumes a blocked target has put it right or has not; the first good answer tells. So `unhealthy_since` stays until
then.

A target that goes bad and well by turns must not fill mailboxes: a change is told when it has lasted for
ALERT_AFTER_SECONDS, doubled with each time that the same was told of this target within an hour. If it is undone
before, neither is told: what operators believe is true again. A pause does not pass by itself, so it is told at once.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from syncer.core.outcome import unquoted
from syncer.models import Alert, Target

HOUR = timedelta(hours=1)
REASON_LENGTH = 512  # characters


def became_unhealthy(target: Target, why: str, *, now: datetime) -> None:
    """Note it, in the caller's transaction, after the target's columns; operators are told unless they know.

    `why` is a whole sentence.
    """
    reason = unquoted(why)[:REASON_LENGTH]
    is_paused = Target.objects.filter(pk=target.pk).exclude(blocked="").exists()
    if Target.objects.filter(pk=target.pk, unhealthy_since=None).update(unhealthy_since=now):
        _note(target, Alert.Kind.UNHEALTHY, now=now, reason=reason, at_once=is_paused)
    elif is_paused:  # it was unreachable, and now needs a person
        _untold(target, Alert.Kind.UNHEALTHY).update(reason=reason, not_before=now)


def became_healthy(target: Target, *, now: datetime) -> None:
    """It answered well, is not blocked, and its circuit is closed; in the caller's transaction."""
    well = Target.objects.filter(pk=target.pk, blocked="", opened_at=None, unhealthy_since__isnull=False)
    if well.update(unhealthy_since=None):
        _note(target, Alert.Kind.HEALTHY, now=now)


def _note(target: Target, kind: Alert.Kind, *, now: datetime, reason: str = "", at_once: bool = False) -> None:
    undoes = _untold(target, *(other for other in Alert.Kind if other != kind)).update(outcome=Alert.Outcome.CLEARED)
    is_over = bool(undoes) and not at_once
    Alert.objects.create(
        target=target,
        kind=kind,
        reason=reason,
        at=now,
        not_before=now if at_once else now + _patience(target, kind, now),
        outcome=Alert.Outcome.CLEARED if is_over else Alert.Outcome.OPEN,
    )


def _untold(target: Target, *kinds: Alert.Kind) -> QuerySet[Alert]:
    return Alert.objects.filter(target=target, kind__in=kinds, outcome=Alert.Outcome.OPEN, tries=0)


def _patience(target: Target, kind: Alert.Kind, now: datetime) -> timedelta:
    """30, 60, 120 … 3600 seconds: a target that flaps is told of some seven times an hour each way, and no more."""
    told = Alert.objects.filter(target=target, kind=kind, tries__gt=0, at__gt=now - HOUR).count()
    return min(timedelta(seconds=settings.ALERT_AFTER_SECONDS * 2.0 ** min(told, 16)), HOUR)
