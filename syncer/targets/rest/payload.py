"""The payloads that a route sends, built from live rows."""

from collections.abc import Iterable
from enum import Enum
from typing import Any

from syncer.core.decide import Wanted
from syncer.core.ids import decode_id
from syncer.models import Route
from syncer.models.keys import json_value, key_of, pks
from syncer.models.routemap import Parent, RouteMap


class Missing(Enum):
    """A placeholder for a parent's remote id that is not known (yet)."""

    PARENT = "parent"


Parents = dict[str, dict[Any, Parent]]  # {"foreign key": {pk of the parent object: its binding}}


def load(routes: RouteMap, route: Route, keys: Iterable[str]) -> dict[str, Wanted]:
    """Return the objects with these keys that are to exist at the target, by key.

    This takes one query, and one more for each mapped foreign key.
    """
    rows = list(
        routes.wanted(route).filter(pk__in=pks(route.declaration.model, keys)).values("pk", *route.fields.values())
    )
    parents = {
        link.field: routes.parents(link, {row[link.field] for row in rows} - {None}) for link in routes.links_up(route)
    }
    return {key_of(route.declaration.model, row["pk"]): _wanted(route, row, parents) for row in rows}


def _wanted(route: Route, row: dict[str, Any], parents: Parents) -> Wanted:
    local = {name: _value(row[name], parents.get(name)) for name in route.fields.values()}
    above = route.declaration.parent
    parent = parents.get(above or "", {}).get(row[above]) if above in row else None
    return Wanted(
        payload={remote: local[name] for remote, name in route.fields.items()},
        create_path=(route.create_path or route.path).format_map(local),
        parent=parent.binding if parent else None,
        waits=Missing.PARENT in local.values(),
    )


def _value(value: Any, parents: dict[Any, Parent] | None) -> Any:
    """Return the JSON value of a column; for a foreign key (`parents` given) the parent's remote id."""
    if parents is None or value is None:
        return json_value(value)
    parent = parents.get(value)
    return decode_id(parent.remote_id) if parent and parent.remote_id else Missing.PARENT
