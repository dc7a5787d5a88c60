"""Rows whose live state differs from their newest history row: what raw SQL, or a forgotten door, wrote.

Constraints:
- A writer that commits meanwhile must not be found: row and history row are one transaction, so whatever sees both in
  one snapshot sees both or none.
- A million rows are looked at in constant memory, and no lock is held on what is well.
- What two databases write differently and read alike (JSON with other white space, a time with another separator) is
  no difference: recording it would not end it.

The design: pages by key, one statement each, which the database compares column by column. What it names is looked at
once more, as Python reads it, with the live rows locked: every ordinary writer holds that lock until its history row is
committed. Recording writes the missing rows in that same transaction.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Exists, Max, OuterRef
from django.utils import timezone

from syncer import public
from syncer.keys import column, table
from syncer.mark import history_of

PAGE = 1000  # keys
REASON = "Changed without history; recorded by the check."

Values = dict[str, Any]  # {"attname": value}
Keys = Collection[Any]


class Kind(StrEnum):
    """What was done without history, in the words of "it was …"."""

    CHANGED = "changed"
    MADE = "made"
    DELETED = "deleted"


TYPES = {Kind.CHANGED: "~", Kind.MADE: "+", Kind.DELETED: "-"}  # django-simple-history's


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One row.

    Attributes:
        values: the columns that its history lacks; of a deleted one, its last known ones.
    """

    pk: Any
    kind: Kind
    values: Values


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of keys: the last one, and those whose rows and history differ, as the database gives them."""

    last: Any
    suspects: list[Any]


def pages(model: type[models.Model], after: Any = None) -> Iterator[Page]:
    """Every row and every history row of `model`, by key, from the one behind `after`."""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_statement(model, is_first=after is None), [] if after is None else [after, after])
            rows = cursor.fetchall()
        if not rows:
            return
        after = rows[0][0]
        yield Page(last=after, suspects=[pk for _, pk in rows if pk is not None])


def look_again(model: type[models.Model], suspects: Keys) -> list[Finding]:
    """Those of `suspects` that do differ."""
    if not suspects:
        return []
    with transaction.atomic():
        return _judge(model, suspects)


def record(model: type[models.Model], suspects: Keys, *, user_id: Any = None) -> list[Finding]:
    """Write the history rows that are missing, so that the changes travel; what was recorded.

    A row that was deleted, and is made anew under the same key in the same instant, may get its history rows in the
    wrong order; the next look finds it.
    """
    if not suspects:
        return []
    with transaction.atomic():
        found = _judge(model, suspects)
        history: Any = history_of(model)
        history.objects.bulk_create(
            history(
                **one.values,
                history_date=timezone.now(),
                history_type=TYPES[one.kind],
                history_change_reason=REASON,
                history_user_id=user_id,
            )
            for one in found
        )
        if found:
            public.changed(model)
    return found


def _statement(model: type[models.Model], *, is_first: bool) -> str:
    """A page of keys; its answer is `(last key, a key that differs)` for each that does, else `(last key, NULL)`.

    Of a row without history every column differs, the key too. The newest of each history are found by one GROUP BY:
    asked for one by one, PostgreSQL may walk the whole table backwards for a row that is old.
    """
    pk, live, history = column(model), table(model), table(history_of(model))
    is_other = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    names = [connection.ops.quote_name(str(field.column)) for field in model._meta.concrete_fields]
    differs = " OR ".join(f"t.{name} {is_other} h.{name}" for name in names)
    behind = "" if is_first else f"WHERE {pk} > %s"
    return f"""
        WITH page AS (
            SELECT pk FROM (
                SELECT pk FROM (SELECT {pk} AS pk FROM {live} {behind} ORDER BY {pk} LIMIT {PAGE}) AS l
                UNION
                SELECT pk FROM (SELECT DISTINCT {pk} AS pk FROM {history} {behind} ORDER BY {pk} LIMIT {PAGE}) AS r
            ) AS keys ORDER BY pk LIMIT {PAGE}
        ), last AS (
            SELECT pk FROM page ORDER BY pk DESC LIMIT 1
        ), newest AS (
            SELECT h.{pk} AS pk, max(h.history_id) AS history_id
            FROM page JOIN {history} h ON h.{pk} = page.pk GROUP BY h.{pk}
        ), found AS (
            SELECT page.pk FROM page
            LEFT JOIN newest ON newest.pk = page.pk
            LEFT JOIN {history} h ON h.history_id = newest.history_id
            LEFT JOIN {live} t ON t.{pk} = page.pk
            WHERE CASE WHEN t.{pk} IS NULL THEN h.history_type <> '-' ELSE h.history_type = '-' OR {differs} END
        )
        SELECT last.pk, found.pk FROM last LEFT JOIN found ON 1 = 1
    """


def _judge(model: type[models.Model], suspects: Keys) -> list[Finding]:
    """In the order of keys, in the caller's transaction, which holds the locks of the live rows.

    Of a row that is not there no lock can be had: that it is gone, and its history does not say so, is asked at once.
    """
    keys = [model._meta.pk.to_python(pk) for pk in suspects]
    rows = model._base_manager.filter(pk__in=keys)
    live = {obj.pk: obj for obj in rows.order_by("pk").select_for_update(of=("self",))}
    name = model._meta.pk.attname
    is_live = Exists(model._base_manager.filter(pk=OuterRef(name)))
    gone = _newest(model, [pk for pk in keys if pk not in live]).filter(~is_live).exclude(history_type="-")
    known = {getattr(row, name): row for row in _newest(model, live).exclude(history_type="-")}
    found = [Finding(pk=getattr(row, name), kind=Kind.DELETED, values=_values(model, row)) for row in gone]
    for pk, obj in live.items():
        values = _values(model, obj)
        if pk not in known:
            found.append(Finding(pk=pk, kind=Kind.MADE, values=values))
        elif values != _values(model, known[pk]):
            found.append(Finding(pk=pk, kind=Kind.CHANGED, values=values))
    place = {pk: number for number, pk in enumerate(keys)}
    return sorted(found, key=lambda one: place[one.pk])


def _newest(model: type[models.Model], keys: Keys) -> models.QuerySet[Any]:
    """The newest history row of each of the keys."""
    history: Any = history_of(model)
    name = model._meta.pk.attname
    rows = history.objects.filter(**{f"{name}__in": list(keys)}).order_by()
    newest: models.QuerySet[Any] = history.objects.filter(
        history_id__in=rows.values(name).annotate(newest=Max("history_id")).values("newest")
    )
    return newest.order_by()


def _values(model: type[models.Model], row: Any) -> Values:
    """Of an object or of a history row, which has the same columns."""
    return {field.attname: field.to_python(getattr(row, field.attname)) for field in model._meta.concrete_fields}
