"""Create one alert while deletes wait for a person, and end it when none waits any more.

Like other alerts it is sent after ALERT_AFTER_SECONDS, so that nobody is notified of what was decided at once.
"""

from datetime import datetime, timedelta

from django.conf import settings

from syncer.models import Alert, Target


def deletes_wait(target: Target, why: str, *, now: datetime) -> None:
    """Create an alert, unless one of the target stands already; `why` is a whole sentence."""
    later = now + timedelta(seconds=settings.ALERT_AFTER_SECONDS)
    alert = Alert(target=target, kind=Alert.Kind.DELETES, reason=why, at=now, not_before=later)
    Alert.objects.bulk_create([alert], ignore_conflicts=True)  # the constraint `syncer_alert_deletes`


def deletes_decided(target: Target, *, now: datetime) -> None:
    """End the alert, and do not send it if it was not sent yet."""
    standing = Alert.objects.filter(target=target, kind=Alert.Kind.DELETES, ended_at=None)
    if standing.exists():
        standing.filter(outcome=Alert.Outcome.OPEN, tries=0).update(outcome=Alert.Outcome.CLEARED)
        standing.update(ended_at=now)
