"""A lease: a worker takes a row until a time that is stored in the row, by a conditional write.

The constraints:
1. Of all workers that want a row at the same moment, exactly one gets it.
2. A worker that dies keeps its row no longer than the lease; nothing has to detect its death.
3. All hosts use the same time: the database's (`clock.now`).
4. Work that takes longer than a lease keeps its row for as long as its process lives.

The design: one column, `lease_until`. A row is free while that is empty or past. `move` writes it only if it still has
the value that was read, `kept_alive` extends it from a thread while the work lasts, and `take_expired` takes rows whose
lease has ended. A waiting row is leased to the task that was queued for it, a running row to its worker: a lost task
and a lost worker are found in the same way.

A lease does not stop a worker that is merely late. So each user of this module also stores a value that only the
present holder knows, and writes results only while it is unchanged: a delivery its `token`, a kept answer its `holder`,
an alert its `tries`, a job its `state`. A run needs none, since two workers may share it.

Exceptions:
- A delivery claims a batch of rows at a time under row locks (`syncer/engine/dispatch.py`), which replace the
  comparison.
- `Alert.not_before` and `Target.probe_at` say when the next try is due. Taking the try moves that time on, so they are
  leases under their own names: a second column would repeat them.
- `OrmQ.lock` belongs to django-q2, which reads it by each host's own clock. Our broker takes tasks with `move`.
- `Worker.heartbeat_at` is not a lease: a page shows it, and no other worker takes the row over.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import Error, connection
from django.db.models import Model, Q, QuerySet

from backoffice.kit import clock
from backoffice.kit.database import is_unavailable
from backoffice.kit.statements import Slot

log = logging.getLogger("backoffice.lease")
M = TypeVar("M", bound=Model)
COLUMN = "lease_until"
EXTENSIONS = 6  # per length of a lease


def ends(now: datetime | None = None) -> datetime:
    """Return when a lease that begins `now` ends: after `SYNC_LEASE_SECONDS`."""
    return (now or clock.now()) + timedelta(seconds=settings.SYNC_LEASE_SECONDS)


def is_free(now: datetime | Slot, column: str = COLUMN) -> Q:
    """Return the condition that nobody holds the row."""
    return Q(**{column: None}) | Q(**{f"{column}__lte": now})


def move(rows: QuerySet[M], seen: datetime | None, until: datetime | None, column: str = COLUMN, **also: Any) -> bool:
    """Take a row, extend its lease or give it back, if no other worker has changed the lease.

    Args:
        rows: a query of the one row, with further conditions on it.
        seen: the value of `column` when the row was read.
        until: the value to write; None: the row becomes free.
        also: values of other columns to write with it.

    Returns:
        Whether the row was written.
    """
    return rows.filter(**{column: seen}).update(**{column: until}, **also) > 0


def take_expired(
    rows: QuerySet[M], *, now: datetime, until: Callable[[M], datetime] | None = None, column: str = COLUMN
) -> Iterator[M]:
    """Take the free rows of `rows`, one after the other, and yield each that no other worker took meanwhile.

    Args:
        until: returns when the new lease of a row ends; by default after `SYNC_LEASE_SECONDS`.
    """
    for row in rows.filter(is_free(now, column)):
        if move(rows.filter(pk=row.pk), getattr(row, column), until(row) if until else ends(now), column):
            yield row


@contextmanager
def kept_alive(rows: QuerySet[M]) -> Iterator[None]:
    """Extend the lease of `rows` while the body runs, from a thread with a connection of its own.

    The body must not hold a lock on the row when it ends: its end waits for the thread.
    """
    over = threading.Event()

    def extend() -> None:
        while not over.wait(settings.SYNC_LEASE_SECONDS / EXTENSIONS):
            try:
                rows.update(**{COLUMN: ends()})
            except Error as error:
                if not is_unavailable(error):
                    raise
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
