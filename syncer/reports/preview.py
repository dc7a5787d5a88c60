"""The preview of a sync, field by field; it sends nothing and moves no mark."""

from collections.abc import Iterator

from django.db import connection

from syncer.engine.runs import not_delivered
from syncer.models import Binding, Route, Target
from syncer.models.backlog import pending_keys
from syncer.models.binding import UNBLOCKED
from syncer.models.routemap import RouteMap
from syncer.targets.base import Planned, kind_of

PAGE = 500  # objects


def preview(target: Target) -> Iterator[Planned]:
    """Yield the deliveries of a sync of all pending objects, parents first, reading `PAGE` objects at a time."""
    routes, kind = RouteMap(target), kind_of(target)
    for route in routes.parents_first:
        for keys in _pages(route):
            yield from kind.preview(routes, route, keys)


def nothing_to_send(target: Target) -> str:
    """Say that a preview is empty. What the target holds by now is not known: somebody else may have changed it."""
    blocked = Binding.objects.left(target).exclude(UNBLOCKED)
    return f"Nothing to send. {not_delivered(blocked)}" if blocked.exists() else kind_of(target).nothing


def _pages(route: Route) -> Iterator[list[str]]:
    pending = pending_keys(route)
    last = ""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT object_key FROM ({pending.sql}) AS pending WHERE object_key > %s ORDER BY object_key LIMIT %s",
                [*pending.params, last, PAGE],
            )
            keys = [row[0] for row in cursor.fetchall()]
        if not keys:
            return
        yield keys
        last = keys[-1]
