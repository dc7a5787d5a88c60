"""The changes of all content, merged by time, the latest first, in pages that cost the same at any depth."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from typing import Any

from django.db.models import Model, OuterRef, Q, QuerySet, Subquery

from backoffice.kit.history import history_of
from content.base.changes.times import SLACK, first_id, last_id

PER_PAGE = 50
# Of each model; of a person who changed little, more would have to be read than a page may take. So many take
# PostgreSQL 50 ms without an index by person, which would cost every write of content a fifth more.
LOOKED_THROUGH = 100_000
MOST_READ = 10  # pages that are read for one: whether an object exists for a person may take a statement

Positions = Mapping[str, int]  # {"news.Post": the history id before which the next page begins}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is looked for."""

    models: Sequence[type[Model]]
    person: str = ""  # the name of an account, here or at a peer
    since: datetime | None = None
    until: datetime | None = None
    kind: str = ""  # `+`, `~` or `-`

    def rows(self, model: type[Model], before: int | None = None) -> "QuerySet[Any]":
        """Return the history rows of one model, the newest first."""
        rows = history_of(model)._default_manager.order_by("-history_id")
        if before is not None:
            rows = rows.filter(history_id__lt=before)
        if self.since:
            rows = rows.filter(history_id__gte=first_id(model, self.since), history_date__gte=self.since)
        elif self.person or self.kind:
            rows = rows.filter(history_id__gt=last_id(model) - LOOKED_THROUGH)
        if self.until:
            rows = rows.filter(history_id__lt=first_id(model, self.until + 2 * SLACK), history_date__lt=self.until)
        if self.kind:
            rows = rows.filter(history_type=self.kind)
        return rows.filter(by(self.person)) if self.person else rows

    @property
    def is_cut(self) -> bool:
        """Whether only the newest LOOKED_THROUGH changes of each model are looked through."""
        return self.since is None and bool(self.person or self.kind)


def by(person: str) -> Q:
    """Return the condition for history rows that a person wrote, here or at a peer."""
    return Q(history_user_name=person, origin="") | Q(origin_user=person)


Visible = Callable[[list[Any]], list[Any]]  # leaves those of some history rows that the person may see


def page(wanted: Wanted, positions: Positions, visible: Visible) -> tuple[list[Any], Positions | None]:
    """Return the history rows of a page, at most two pages full, and where the next begins (None: there is none).

    As long as others' rows leave the page short, it reads on; the page can be short or empty after MOST_READ alone.
    """
    rows, following = _read(wanted, positions)
    seen, read = visible(rows), 1
    while following is not None and len(seen) < PER_PAGE and read < MOST_READ:
        rows, following = _read(wanted, following)
        seen, read = seen + visible(rows), read + 1
    return seen, following


def _read(wanted: Wanted, positions: Positions) -> tuple[list[Any], Positions | None]:
    of_models = []
    for model in wanted.models:
        rows = list(wanted.rows(model, positions.get(model._meta.label))[: PER_PAGE + 1])
        of_models.append([(row.history_date, row.history_id, model, row) for row in rows])
    merged = list(merge(*of_models, key=lambda found: found[:2], reverse=True))
    shown = merged[:PER_PAGE]
    following = dict(positions)
    for _, number, model, _row in shown:
        following[model._meta.label] = number
    return [row for *_, row in shown], following if len(merged) > PER_PAGE else None


def versions_before(model: type[Model], rows: Iterable[Any]) -> dict[int, Any]:
    """Return the version of the object before each of these history rows, `{history id: row}`, by two statements."""
    key, history = model._meta.pk.attname, history_of(model)._default_manager
    older = history.filter(**{key: OuterRef(key)}, history_id__lt=OuterRef("history_id")).order_by("-history_id")
    of_rows = history.filter(history_id__in=[row.history_id for row in rows])
    pairs = of_rows.annotate(before=Subquery(older.values("history_id")[:1])).values_list("history_id", "before")
    ids = {number: before for number, before in pairs if before is not None}
    found = history.in_bulk(list(ids.values()))
    return {number: found[before] for number, before in ids.items()}
