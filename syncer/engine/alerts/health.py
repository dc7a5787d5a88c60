"""Create an alert when a target becomes unhealthy, and one when it is healthy again.

A target is unhealthy while it is blocked, its circuit is open, or it asks for a long wait (`breaker.note`). It is
healthy again only after an answer: a person who resumes a blocked target, or ends a wait, may or may not have fixed it,
and the first good answer shows which. Until then `unhealthy_since` stays.

A target that flaps must not fill mailboxes. An alert is sent when the change has lasted for ALERT_AFTER_SECONDS, which
doubles with each alert of the same kind that was sent for this target within an hour. If the change is undone before
that, neither alert is sent: the last alert that operators got is true again. A block never ends automatically, so its
alert is sent at once.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from syncer.core.outcome import unquoted
from syncer.models import Alert, Target

HOUR = timedelta(hours=1)


def became_unhealthy(target: Target, why: str, *, now: datetime) -> None:
    """Create an alert if the target was healthy until now; if it is blocked, send its alert at once.

    To be called in the transaction that changed the target's columns, after that change. `why` is a whole sentence.
    """
    reason = unquoted(why)
    is_blocked = Target.objects.filter(pk=target.pk).exclude(blocked="").exists()
    if Target.objects.filter(pk=target.pk, unhealthy_since=None).update(unhealthy_since=now):
        _create(target, Alert.Kind.UNHEALTHY, now=now, reason=reason, at_once=is_blocked)
    elif is_blocked:  # the target was unreachable, and now needs a person
        _unsent(target, Alert.Kind.UNHEALTHY).update(reason=reason, not_before=now)


def became_healthy(target: Target, *, now: datetime) -> None:
    """Create an alert if the target was unhealthy, and is neither blocked nor unreachable now.

    To be called after a good answer, in the transaction that records it.
    """
    healthy = Target.objects.filter(pk=target.pk, blocked="", opened_at=None, unhealthy_since__isnull=False)
    if healthy.update(unhealthy_since=None):
        _create(target, Alert.Kind.HEALTHY, now=now)


def _create(target: Target, kind: Alert.Kind, *, now: datetime, reason: str = "", at_once: bool = False) -> None:
    """Create an alert and clear the unsent one that it undoes; it is then cleared itself, unless sent `at_once`.

    It waits 30, 60, 120 … 3600 seconds: a target that flaps causes at most some seven alerts an hour of each kind.
    """
    undone = Alert.Kind.HEALTHY if kind == Alert.Kind.UNHEALTHY else Alert.Kind.UNHEALTHY
    cleared = _unsent(target, undone).update(outcome=Alert.Outcome.CLEARED)
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


def _unsent(target: Target, kind: Alert.Kind) -> QuerySet[Alert]:
    return Alert.objects.filter(target=target, kind=kind, outcome=Alert.Outcome.OPEN, tries=0)
