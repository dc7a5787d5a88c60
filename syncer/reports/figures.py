"""What monitoring reads of the engine, from the rows: numbers that are large are counted to a bound."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from django.db.models import Max
from django_q.models import OrmQ

from backoffice.kit import clock
from backoffice.kit.estimates import MOST, bounded, count
from syncer.core.state import Health
from syncer.engine.worker.cluster import PREFIX
from syncer.models import Attempt, Run, Worker
from syncer.reports.overview import Overview, overviews

WINDOW = timedelta(minutes=5)
QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, kw_only=True)
class TargetFigures:
    """One target at this moment."""

    name: str
    health: Health
    backlog: Mapping[str, int]  # objects by state
    oldest_seconds: float  # the age of the change that has waited longest to be sent; 0: nothing waits


@dataclass(frozen=True, kw_only=True)
class Deliveries:
    """The exchanges with one target in the last WINDOW, or, if there were more than MOST at all, the newest of them."""

    target: str
    per_second: Mapping[tuple[str, str], float]  # by action and outcome
    seconds: Mapping[float, float]  # of those that were answered, by quantile


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The engine at this moment."""

    targets: Sequence[TargetFigures]
    deliveries: Sequence[Deliveries]
    runs: Mapping[str, int]  # that are open, by state
    tasks: int  # that wait in the queue, heartbeats left out
    workers: int  # with a heartbeat
    heartbeat_seconds: Mapping[str, float]  # the age of the last heartbeat, by host


def figures() -> Figures:
    now = clock.now()
    heartbeats = Worker.objects.order_by().values_list("host").annotate(Max("heartbeat_at"))
    return Figures(
        targets=[_target(item, now) for item in overviews()],
        deliveries=[*_deliveries(now)],
        runs={str(state): bounded(Run.objects.filter(state=state)[: MOST + 1].count()) for state in Run.OPEN},
        tasks=count(OrmQ.objects.exclude(key__startswith=PREFIX).order_by("pk")),
        workers=Worker.objects.alive().count(),
        heartbeat_seconds={host: (now - at).total_seconds() for host, at in heartbeats},
    )


def _target(item: Overview, now: datetime) -> TargetFigures:
    age = (now - item.oldest.at).total_seconds() if item.oldest else 0.0
    return TargetFigures(name=item.target.name, health=item.health, backlog=item.backlog, oldest_seconds=max(0.0, age))


def _deliveries(now: datetime) -> Iterator[Deliveries]:
    """Yield the deliveries of each target that had any: a rate is right for whatever time the rows cover."""
    newest = Attempt.objects.filter(at__gt=now - WINDOW, at__lte=now).order_by("-at")
    rows = list(newest.values_list("run__target__name", "action", "outcome", "milliseconds", "status", "at")[:MOST])
    span = (now - rows[-1][-1] if len(rows) == MOST else WINDOW).total_seconds()
    for name, group in groupby(sorted(rows, key=itemgetter(0)), key=itemgetter(0)):
        found = list(group)
        numbers = Counter((action, outcome) for _, action, outcome, *_ in found)
        answered = sorted(milliseconds for *_, milliseconds, status, _ in found if status is not None)
        yield Deliveries(
            target=name,
            per_second={key: number / span for key, number in numbers.items()},
            seconds={part: answered[int(part * (len(answered) - 1))] / 1000 for part in QUANTILES if answered},
        )
