"""What was delivered and what failed in the last 24 hours, hour by hour, counted from the attempts to a bound."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.kit.estimates import MOST, Count, total
from syncer.models import Attempt
from syncer.targets.base import kinds

PARTS = ("%Y-%m-%d", "%H:%M:%S")
GREY = "#6b7280"
# https://www.chartjs.org/docs/latest/configuration/; the theme reads both as attributes, so that no script is inline.
OPTIONS = {
    "animation": False,
    "maintainAspectRatio": False,
    "plugins": {"legend": {"align": "end", "labels": {"boxHeight": 8, "boxWidth": 8, "color": GREY}}},
    "scales": {
        "x": {"stacked": True, "grid": {"display": False}, "ticks": {"color": GREY, "maxTicksLimit": 8}},
        "y": {"stacked": True, "beginAtZero": True, "ticks": {"color": GREY, "maxTicksLimit": 4, "precision": 0}},
    },
}
HOURS = 24
HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Hour:
    """The requests that left within one hour."""

    begin: datetime  # in the current time zone
    delivered: int  # creates, updates, deletes and pushes that the target accepted
    failed: int  # requests that were not answered as they should be

    @property
    def query(self) -> str:
        """The filter of the list of attempts that shows these requests."""
        last = self.begin + HOUR - timedelta(seconds=1)
        ends = (("from", self.begin), ("to", last))
        return urlencode({f"at_{end}_{n}": f"{at:{part}}" for end, at in ends for n, part in enumerate(PARTS)})


@dataclass(frozen=True, kw_only=True)
class Activity:
    """The requests of the last hours, the oldest first; the last hour goes on."""

    hours: Sequence[Hour]

    @property
    def delivered(self) -> int:
        return total(hour.delivered for hour in self.hours)

    @property
    def failed(self) -> int:
        return total(hour.failed for hour in self.hours)

    @property
    def chart(self) -> str:
        """The data of the theme's bar chart, as JSON; see https://www.chartjs.org/docs/latest/charts/bar.html"""
        rows = (
            (_("delivered"), [int(hour.delivered) for hour in self.hours], "var(--color-primary-600)"),
            (_("failed"), [int(hour.failed) for hour in self.hours], "#dc2626"),
        )
        return json.dumps(
            {
                "labels": [f"{hour.begin:%H:%M}" for hour in self.hours],
                "datasets": [
                    {"label": label, "data": data, "backgroundColor": color, "maxBarThickness": 24}
                    for label, data, color in rows
                ],
            }
        )

    @property
    def options(self) -> str:
        return json.dumps(OPTIONS)


def last_day(now: datetime) -> Activity:
    """Return the requests of the 24 hours that end with the current one, by one statement."""
    this = timezone.localtime(now).replace(minute=0, second=0, microsecond=0)
    begins = [this - HOUR * ago for ago in reversed(range(HOURS))]
    queries, params = zip(*(_query(begin) for begin in begins), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(queries), [value for values in params for value in values])
        found = {number: row for number, *row in cursor.fetchall()}
    return Activity(hours=[*_hours(begins, found)])


def _hours(begins: list[datetime], found: dict[int, list[int | None]]) -> Iterator[Hour]:
    for begin in begins:
        delivered, failed, read = (number or 0 for number in found[int(begin.timestamp())])
        words = "at least" if read == MOST else ""
        yield Hour(begin=begin, delivered=Count(delivered, words), failed=Count(failed, words))


def _query(begin: datetime) -> tuple[str, list[object]]:
    """Return a query, with its parameters, of `(begin, delivered, failed, read)`; it reads `MOST` attempts at most."""
    done = sorted({action for kind in kinds().values() for action in kind.done})
    delivered = f"action IN ({_marks(done)}) AND outcome IN ({_marks(Attempt.DELIVERED)})"
    failed = f"action <> %s AND outcome NOT IN ({_marks(Attempt.WELL)})"
    sql = (
        "SELECT %s, sum(delivered), sum(failed), count(*) FROM ("
        f"SELECT CASE WHEN {delivered} THEN 1 ELSE 0 END AS delivered, CASE WHEN {failed} THEN 1 ELSE 0 END AS failed "
        f"FROM syncer_attempt WHERE at >= %s AND at < %s LIMIT {MOST}) AS hour"
    )
    adapt = connection.ops.adapt_datetimefield_value
    span = [adapt(begin), adapt(begin + HOUR)]
    outcomes = [*done, *Attempt.DELIVERED, Attempt.Action.EVIDENCE, *Attempt.WELL]
    return sql, [int(begin.timestamp()), *map(str, outcomes), *span]


def _marks(values: Sequence[str]) -> str:
    return ", ".join(["%s"] * len(values))
