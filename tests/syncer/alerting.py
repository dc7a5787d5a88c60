"""What the tests of alerts share: targets that become unhealthy and healthy, and a worker that sends alerts."""

from datetime import timedelta

from django.db.models import F
from django.utils import timezone
from django_q.models import OrmQ

from syncer.engine.alerts.health import became_healthy, became_unhealthy
from syncer.engine.alerts.notify import send_alert, sweep
from syncer.models import Alert, Target

REASON = "Fake API refused the connection"
BLOCK = "Fake API answered 401"


def becomes_unreachable(target, why=REASON):
    """Its circuit opens."""
    now = timezone.now()
    Target.objects.filter(pk=target.pk).update(opened_at=now)
    became_unhealthy(target, why, now=now)


def becomes_blocked(target, why=BLOCK):
    now = timezone.now()
    Target.objects.filter(pk=target.pk).update(blocked=why)
    became_unhealthy(target, why, now=now)


def recovers(target):
    Target.objects.filter(pk=target.pk).update(opened_at=None, blocked="")
    became_healthy(target, now=timezone.now())


def let_time_pass():
    """As if every wait were over."""
    Alert.objects.update(not_before=F("not_before") - timedelta(days=1))


def work() -> int:
    """Do what the queue was asked for; how many tasks that were."""
    tasks = list(OrmQ.objects.order_by("pk"))
    for row in tasks:
        row.delete()
        send_alert(*row.task["args"])
    return len(tasks)


def outcomes():
    """Send what is due once every wait is over; return the kind and the outcome of each alert."""
    let_time_pass()
    sweep()
    work()
    return list(Alert.objects.order_by("pk").values_list("kind", "outcome"))
