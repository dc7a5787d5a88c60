"""The queue in the database, which all hosts share. Each cluster takes its own watchdog's heartbeats first."""

from typing import Any

from django.db.models import Case, Value, When
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf

from backoffice.kit import lease
from syncer.engine.worker import cluster
from syncer.engine.worker.commits import Commits

LONGEST = 0.5  # seconds between two looks at the queue, where locks run out without a commit


class Broker(ORM):  # type: ignore[misc]
    """As django-q2's own, apart from what is next, and when: it knows no order, so that a heartbeat could wait behind
    all else, and looks at the queue by the clock alone."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._commits = Commits()

    def dequeue(self) -> list[tuple[int, str]] | None:
        """`[(row, payload), …]`; None: there was nothing, and now there may be something."""
        keys = [self.list_key, cluster.own_key()]
        beats_first = Case(When(key=keys[1], then=Value(0)), default=Value(1))
        queue = self.get_connection()
        rows = queue.filter(key__in=keys, lock__lt=timezone.now()).order_by(beats_first, "pk")
        if waiting := list(rows[: Conf.BULK]):
            return [
                (row.pk, row.payload)
                for row in waiting
                if lease.move(queue.filter(pk=row.pk), row.lock, self.timeout(row), "lock")
            ]
        self._commits.wait(LONGEST)
        return None
