"""What the tests of the engine share: faults that lose an answer, time that passes, other workers."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import connection, models
from django.db.models import F

from backoffice.kit import clock
from syncer.engine.runs import work
from syncer.models import Binding, Run, Target, Worker
from syncer.models.mapping import declarations, declare
from tests.remote import Fault

# Rules for `remote.fault`: the request may have been carried out, and its answer is lost.
LOST = [
    {"kind": Fault.RESET, "act": True},
    {"kind": Fault.RESET, "act": False},
    {"kind": Fault.STATUS, "status": 500, "act": True},
    {"kind": Fault.STATUS, "status": 503, "act": False},
]
# The request was carried out, and its answer can't be read.
UNREADABLE = [
    {"kind": Fault.TRUNCATED},
    {"kind": Fault.HTML, "act": True},
    {"kind": Fault.NO_ID},
    {"kind": Fault.EMPTY},
]


def name_of(fault):
    return f"{fault['kind'].name}-{fault.get('status', '')}-{'acts' if fault.get('act', True) else 'idle'}"


def binding_of(obj):
    return Binding.objects.get(route__model=obj._meta.label, object_key=str(obj.pk))


def let_time_pass():
    """As if every wait were over: the waits are in the rows, so that no test has to sit them out."""
    Binding.objects.filter(not_before__isnull=False).update(not_before=F("not_before") - timedelta(days=1))
    Target.objects.filter(not_before__isnull=False).update(not_before=F("not_before") - timedelta(days=31))
    Target.objects.filter(probe_at__isnull=False).update(probe_at=F("probe_at") - timedelta(days=1))


def started(do: Callable[[], object]) -> threading.Thread:
    """`do`, in a thread with a connection of its own."""

    def run():
        try:
            do()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def another_worker(run: Run) -> threading.Thread:
    """A worker that works on the run now, as if on another host."""
    return started(lambda: work(Run.objects.get(pk=run.pk)))


def requests(remote):
    return [(entry.method, entry.path) for entry in remote.journal]


@contextmanager
def computing(model: type[models.Model], **functions: Callable[..., Any]) -> Iterator[None]:
    """The model has these computed fields too."""
    stored = declarations()[model._meta.label]

    def declare_again(computed):
        declare(
            model,
            fields=stored.fields,
            natural_key=stored.natural_key,
            parent=stored.parent,
            authority=stored.authority,
            computed=computed,
        )

    declare_again({**stored.computed, **functions})
    try:
        yield
    finally:
        declare_again(stored.computed)


def worker_alive() -> Worker:
    """A worker with a heartbeat of just now."""
    now = clock.now()
    return Worker.objects.create(host="here", pid=1, started_at=now, heartbeat_at=now)
