"""What we have: live rows as the payloads that their route sends."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from syncer.core.decide import Payload
from syncer.core.matching import decode_id
from syncer.keys import key_of, pks
from syncer.models import Binding, Route
from syncer.routemap import RouteMap


class Missing(Enum):
    """Stands for a parent's remote id that is not known (yet)."""

    PARENT = "parent"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One object as it is to be at the target.

    Attributes:
        payload: `{"remote name": JSON value}`.
        create_path: where it is made.
        parent: the binding under whose record it hangs; None: under none.
        waits_for: the parent that has no remote id yet, as `news.Post:5`; None: it is ready.
    """

    payload: Payload
    create_path: str
    parent: int | None = None
    waits_for: str | None = None


def load(routes: RouteMap, route: Route, keys: Iterable[str]) -> dict[str, Wanted]:
    """The named objects that are to exist at the target, by key. One query, and one for each mapped foreign key."""
    model = route.declaration.model
    names = [model._meta.get_field(name).attname for name in route.fields.values()]  # type: ignore[union-attr]
    rows = list(routes.wanted(route).filter(pk__in=pks(model, keys)).values("pk", *names))
    parents = {
        link.field: _remote_ids(link.parent, {row[f"{link.field}_id"] for row in rows})
        for link in routes.links_up(route)
    }
    above = route.declaration.parent
    return {key_of(model, row["pk"]): _wanted(route, row, parents, above) for row in rows}


def _remote_ids(route: Route, found: set[Any]) -> dict[Any, tuple[int, str | None, str]]:
    """`{pk: (binding, encoded remote id, label)}` of parents; the id is None while it is not known and settled."""
    model = route.declaration.model
    labels = {key_of(model, pk): pk for pk in found if pk is not None}
    bindings = Binding.objects.filter(route=route, object_key__in=labels)
    return {
        labels[key]: (pk, None if unsettled else remote_id, f"{route.model}:{key}")
        for pk, key, remote_id, unsettled in bindings.values_list("pk", "object_key", "remote_id", "unsettled")
    }


def _wanted(
    route: Route, row: dict[str, Any], parents: dict[str, dict[Any, tuple[int, str | None, str]]], above: str | None
) -> Wanted:
    local: dict[str, Any] = {}
    parent, waits_for = None, None
    for name in route.fields.values():
        if name not in parents:
            local[name] = plain(row[name])
            continue
        pk = row[f"{name}_id"]
        if pk is None:
            local[name] = None
            continue
        binding, remote_id, label = parents[name].get(pk, (None, None, f"{name} {pk}"))
        local[name] = Missing.PARENT if remote_id is None else decode_id(remote_id)
        waits_for = label if remote_id is None else waits_for
        parent = binding if name == above else parent
    return Wanted(
        payload={remote: local[name] for remote, name in route.fields.items()},
        create_path=(route.create_path or route.path).format_map(local),
        parent=parent,
        waits_for=waits_for,
    )


def plain(value: Any) -> Any:
    """A column's value as JSON has it: dates as ISO 8601, decimals and UUIDs as text."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    return value
