"""A lease: a worker takes a row until a time that stands in the row, by a conditional write.

The constraints:
1. Of all workers that want a row at the same moment, one gets it.
2. A worker that dies keeps its row no longer than the lease; nothing else has to notice that it died.
3. Every host agrees on the time: it is the database's (`clock.now`).
4. Work that takes longer than a lease keeps its row for as long as its process lives.

The design: one column, `lease_until`. A row is free while that is empty or past. `move` writes it only where it still
is as it was read, `kept_alive` extends it from a thread while the work lasts, and `take_expired` finds rows that nobody
holds any more. A row that waits in the queue is leased to the task that was queued for it, a running one to its worker:
a lost task and a lost worker are found in the same way.

A lease does not stop a worker that is merely late. So each user of this module also keeps a number or a name that only
the present holder knows, and writes results only where that still stands: a delivery its `token`, a kept answer its
`holder`, an alert its `tries`, a job its `state`. A run needs none, for two workers may share it.

What does not fit, or only in part:
- A delivery takes a batch at a time under row locks (`syncer/engine/claim.py`), which replace the comparison.
- `Alert.not_before` and `Target.probe_at` say when the next try is due. Taking the try moves that date on, so they are
  leases under their own names: a second column would only repeat them.
- `OrmQ.lock` belongs to django-q2, which reads it by each host's own clock. Our broker takes tasks with `move`.
- `Worker.heartbeat_at` is not a lease: a page shows it, and nobody takes the row over.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Model, Q, QuerySet

from backoffice.kit import clock

log = logging.getLogger("backoffice.lease")
M = TypeVar("M", bound=Model)
COLUMN = "lease_until"
EXTENSIONS = 6  # in the length of a lease


def ends(now: datetime | None = None) -> datetime:
    """When a lease that begins `now` ends: after `SYNC_LEASE_SECONDS`."""
    return (now or clock.now()) + timedelta(seconds=settings.SYNC_LEASE_SECONDS)


def is_free(now: datetime, column: str = COLUMN) -> Q:
    """The condition that nobody holds the row."""
    return Q(**{column: None}) | Q(**{f"{column}__lte": now})


def move(rows: QuerySet[Any], seen: datetime | None, until: datetime | None, column: str = COLUMN, **also: Any) -> bool:
    """Take a row until then, extend its lease or give it back, unless somebody else was faster; return whether.

    Args:
        rows: the row, and what else must hold of it.
        seen: what the column held when the row was read.
        also: other columns to write with it.
    """
    return rows.filter(**{column: seen}).update(**{column: until}, **also) > 0


def take_expired(
    rows: QuerySet[M], *, now: datetime, until: Callable[[M], datetime] | None = None, column: str = COLUMN
) -> Iterator[M]:
    """Take those of `rows` that nobody holds, one after the other, and yield each that nobody else took meanwhile.

    Args:
        until: when the new lease of a row ends; by default a whole lease from `now`.
    """
    for row in rows.filter(is_free(now, column)):
        if move(rows.filter(pk=row.pk), getattr(row, column), until(row) if until else ends(now), column):
            yield row


@contextmanager
def kept_alive(rows: QuerySet[Any]) -> Iterator[None]:
    """Extend the lease of `rows` while the body runs, from a thread with a connection of its own.

    The body may not hold a lock on the row when it ends: it waits for the thread.
    """
    over = threading.Event()

    def extend() -> None:
        while not over.wait(settings.SYNC_LEASE_SECONDS / EXTENSIONS):
            try:
                rows.update(**{COLUMN: ends()})
            except (OperationalError, InterfaceError):
                log.warning("The lease of %s can't be extended; trying again.", rows.model.__name__, exc_info=True)
            finally:
                connection.close()

    thread = threading.Thread(target=extend, name=f"lease of {rows.model.__name__}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
