"""The figures that the database holds, the same from every process; read when asked for, and kept for a while."""

import platform
import threading
import time
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db import Error
from django.db.models import Min
from prometheus_client import Metric
from prometheus_client.metrics_core import GaugeMetricFamily

from backoffice.kit import clock
from backoffice.kit.estimates import MOST, bounded
from backoffice.kit.jobs.models import Job
from syncer.public import Figures, Health, figures

KEPT, KEPT_MOST = 5.0, 60.0  # seconds
SHARE = 10  # times as long as the figures took to be read: deletes are counted among all that is pending
TO = f"counted to {MOST}"
Samples = Iterable[tuple[tuple[str, ...], float]]

_lock = threading.Lock()
_until, _read = -1.0, list[Metric]()


def collect() -> list[Metric]:
    """Return the figures; while the database can't be used, only that."""
    global _until, _read
    with _lock:
        begin = time.monotonic()
        if begin >= _until:
            _read = [build(), *_from_database()]
            _until = begin + min(KEPT_MOST, max(KEPT, SHARE * (time.monotonic() - begin)))
        return _read


def build() -> Metric:
    labels = {"release": settings.RELEASE, "node": settings.NODE, "python": platform.python_version()}
    return _gauge("build_info", "The program that answers: always 1.", tuple(labels), [(tuple(labels.values()), 1)])


def _from_database() -> list[Metric]:
    try:
        found = [*_of_engine(figures()), *_of_jobs()]
    except Error:
        found = []
    return [
        _gauge(
            "database_up",
            "1: the figures of the database could be read; 0: they are missing.",
            (),
            [((), float(bool(found)))],
        ),
        *found,
    ]


def _of_engine(now: Figures) -> Iterator[Metric]:
    yield _gauge(
        "target_objects",
        f"Objects that are not at the target as they are here, by state; {TO} for each route.",
        ("target", "state"),
        (((item.name, state), number) for item in now.targets for state, number in item.backlog.items()),
    )
    yield _gauge(
        "target_oldest_unsent_seconds",
        "Age of the change that has waited longest to be sent, without those that wait for a person; 0: none waits.",
        ("target",),
        (((item.name,), item.oldest_seconds) for item in now.targets),
    )
    yield _gauge(
        "target_health",
        "The state of the target as a whole: 1 for the one it is in.",
        ("target", "state"),
        (((item.name, _word(state)), state is item.health) for item in now.targets for state in Health),
    )
    yield _gauge(
        "deliveries_per_second",
        f"Exchanges of deliveries in the last five minutes, or, of more than {MOST}, the newest {MOST}.",
        ("target", "action", "outcome"),
        (((item.target, *key), rate) for item in now.deliveries for key, rate in item.per_second.items()),
    )
    yield _gauge(
        "target_answer_seconds",
        "Seconds from a request to the end of its answer, of the same exchanges.",
        ("target", "quantile"),
        (((item.target, str(part)), seconds) for item in now.deliveries for part, seconds in item.seconds.items()),
    )
    yield _gauge("queue_tasks", f"Tasks that wait in the queue; {TO}.", (), [((), now.tasks)])
    yield _gauge("runs", f"Runs that are open; {TO}.", ("state",), (((state,), n) for state, n in now.runs.items()))
    yield _gauge("workers", "Workers with a heartbeat in the last 90 seconds.", (), [((), now.workers)])
    yield _gauge(
        "worker_heartbeat_age_seconds",
        "Age of the last heartbeat of a host's workers, for a day after they ended without a word.",
        ("host",),
        (((host,), seconds) for host, seconds in now.heartbeat_seconds.items()),
    )


def _of_jobs() -> Iterator[Metric]:
    jobs = {state: Job.objects.filter(state=state).order_by() for state in (Job.State.QUEUED, Job.State.RUNNING)}
    numbers = ((str(state), bounded(rows[: MOST + 1].count())) for state, rows in jobs.items())
    yield _gauge("jobs", f"Jobs that are open; {TO}.", ("state",), (((state,), number) for state, number in numbers))
    oldest = jobs[Job.State.QUEUED].aggregate(at=Min("created_at"))["at"]
    age = max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0
    yield _gauge("jobs_oldest_waiting_seconds", "Age of the job that has waited longest; 0: none.", (), [((), age)])


def _gauge(name: str, text: str, labels: tuple[str, ...], samples: Samples) -> Metric:
    made = GaugeMetricFamily(f"backoffice_{name}", text, labels=labels)
    for values, number in samples:
        made.add_metric(values, float(number))
    return made


def _word(state: Health) -> str:
    return state.replace(" ", "_")
