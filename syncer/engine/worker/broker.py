"""The queue in the database, shared by all hosts. Each cluster takes its own watchdog's heartbeats first."""

from django.db.models import Case, Value, When
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from backoffice.kit import lease
from syncer.engine.worker import cluster
from syncer.engine.worker.commits import Commits

LONGEST = 0.5  # seconds between two queries of the queue at most: a lock expires without a commit


class Broker(ORM):  # type: ignore[misc]
    """django-q2's broker, with another order and other times of asking.

    The original has no order, so that a heartbeat could wait behind all other tasks, and it polls at a fixed interval.
    It also replaces old connections before each query; on SQLite that opens a new one, which may have missed commits.
    """

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self._commits = Commits()
        self._is_connected = False

    def dequeue(self) -> list[tuple[int, str]] | None:
        """Take the next tasks.

        Returns:
            `[(primary key, payload), …]`; None, after a wait for a commit, if there was none.
        """
        keys = [self.list_key, cluster.own_key()]
        heartbeats_first = Case(When(key=keys[1], then=Value(0)), default=Value(1))
        queue = OrmQ.objects.all() if self._is_connected else self.get_connection()
        rows = queue.filter(key__in=keys, lock__lt=timezone.now()).order_by(heartbeats_first, "pk")
        if waiting := list(rows[: Conf.BULK]):
            self._is_connected = False
            return [
                (row.pk, row.payload)
                for row in waiting
                if lease.move(queue.filter(pk=row.pk), row.lock, self.timeout(row), "lock")
            ]
        self._is_connected = self._commits.wait(LONGEST)  # the connection has just answered
        return None
