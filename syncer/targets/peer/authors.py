"""What our own history tells of an object since it was last stamped.

Who edited what is for people at the other end to read, and decides nothing. What an object was when it was deleted here
is stamped: see `replicas.stamp_all`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import Q

from backoffice.kit.history import history_of
from syncer.core.merge import EXISTS, By, Content
from syncer.models import Replica, Route
from syncer.models.keys import json_value
from syncer.targets.peer.rows import attname

HISTORY = ("history_id", "history_type", "history_date", "history_change_reason", "history_user_name", "origin")


@dataclass(frozen=True, kw_only=True)
class Since:
    """What the history tells of one object since it was last stamped.

    Attributes:
        by: who edited which field last; EXISTS too.
        newest: the number of its newest row; None: there is no newer one.
        left: what it was when it was deleted here; None: it was not.
    """

    by: Mapping[str, By] = field(default_factory=dict)
    newest: int | None = None
    left: Content | None = None


def authors(route: Route, found: Iterable[Replica]) -> dict[str, Since]:
    """What the history tells of these objects, by key; one query."""
    replicas = {UUID(one.object_key): one for one in found}
    if not replicas:
        return {}
    pk = route.declaration.model._meta.pk.attname
    after = min(one.read for one in replicas.values())
    rows = history_of(route.declaration.model)._default_manager.filter(
        Q(**{f"{pk}__in": list(replicas)}), history_id__gt=after
    )
    columns = [pk, *HISTORY, *(attname(route.declaration.model, name) for name in route.shared)]
    ordered = rows.order_by(pk, "history_id").values(*columns)
    return {
        replicas[key].object_key: _since(route, replicas[key], list(versions))
        for key, versions in groupby(ordered, key=lambda row: row[pk])
    }


def _since(route: Route, replica: Replica, versions: list[dict[str, Any]]) -> Since:
    before: Content = replica.shadow or {}
    by: dict[str, By] = {}
    left: Content | None = None
    for row in versions:
        if row["history_id"] <= replica.read:
            continue
        now = {name: json_value(row[attname(route.declaration.model, name)]) for name in route.shared}
        if not row["origin"]:
            who = _by(row)
            by |= {name: who for name in now if row["history_type"] != "-" and before.get(name) != now[name]}
            by[EXISTS] = who
        is_deleted = row["history_type"] == "-"
        left = now if is_deleted and not row["origin"] else None
        before = {} if is_deleted else now
    return Since(by=by, newest=versions[-1]["history_id"], left=left)


def _by(row: Mapping[str, Any]) -> By:
    return By(
        user=row["history_user_name"],
        reason=row["history_change_reason"] or "",
        at=row["history_date"].isoformat(timespec="milliseconds"),
    )
