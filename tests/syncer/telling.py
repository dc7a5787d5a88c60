"""What the tests of alerts share: targets that go bad and well, and a worker that tells."""

from datetime import timedelta

from django.db.models import F
from django.utils import timezone
from django_q.models import OrmQ

from syncer.engine.alerts.health import became_healthy, became_unhealthy
from syncer.engine.alerts.notify import sweep, tell
from syncer.models import Alert, Target

REASON = "Fake API refused the connection"
PAUSE = "Fake API answered 401"


def breaks(target, why=REASON):
    """Its circuit opens."""
    now = timezone.now()
    Target.objects.filter(pk=target.pk).update(opened_at=now)
    became_unhealthy(target, why, now=now)


def pauses(target, why=PAUSE):
    now = timezone.now()
    Target.objects.filter(pk=target.pk).update(blocked=why)
    became_unhealthy(target, why, now=now)


def mends(target):
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
        tell(*row.task["args"])
    return len(tasks)


def told():
    """One look for what is due, after every wait, and what came of it."""
    let_time_pass()
    sweep()
    work()
    return list(Alert.objects.order_by("pk").values_list("kind", "outcome"))
