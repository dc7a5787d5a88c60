"""The queue in the database, shared by all hosts. Each cluster takes its own watchdog's heartbeats first."""

import time

from django.db.models import Case, Value, When
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from backoffice.kit import lease
from backoffice.kit.database import refresh_connections
from syncer.engine.worker import cluster
from syncer.engine.worker.commits import Commits

LONGEST = 0.5  # seconds of one wait for a commit: after each, the queue's process checks whether it is to end
REST = 5.0  # seconds between two queries of the queue at most: a lock expires without a commit


class Broker(ORM):  # type: ignore[misc]
    """django-q2's broker, with another order and other times of asking.

    The original has no order, so that a heartbeat could wait behind all other tasks, and it polls at a fixed interval.
    It also replaces old connections before each query; on SQLite that opens a new one, which costs more than the query.
    """

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self._commits = Commits()
        self._have_come = False  # commits, since the last query
        self._ask_at = time.monotonic()

    def dequeue(self) -> list[tuple[int, str]] | None:
        """Take the next tasks.

        Returns:
            `[(primary key, payload), …]`; None, after a wait for a commit, if there was none.
        """
        if self._have_come or time.monotonic() >= self._ask_at:
            if waiting := self._waiting():
                return [
                    (row.pk, row.payload)
                    for row in waiting
                    if lease.move(OrmQ.objects.filter(pk=row.pk), row.lock, self.timeout(row), "lock")
                ]
            self._ask_at = time.monotonic() + REST
        self._have_come = self._commits.wait(LONGEST)
        return None

    def _waiting(self) -> list[OrmQ]:
        if not self._have_come:  # else the connection has just answered
            refresh_connections()
        keys = [self.list_key, cluster.own_key()]
        heartbeats_first = Case(When(key=keys[1], then=Value(0)), default=Value(1))
        tasks = OrmQ.objects.filter(key__in=keys, lock__lt=timezone.now())
        return list(tasks.order_by(heartbeats_first, "pk")[: Conf.BULK])
