"""The preview of a sync, field by field; it sends nothing and moves no mark."""

from collections.abc import Iterator

from django.db import connection
from django.db.models.expressions import RawSQL

from syncer.core.ceiling import is_too_many, reason
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


def would_wait(target: Target) -> str:
    """Return the sentence that names the deletes of a sync that would wait for a person; empty where none would."""
    routes, many = RouteMap(target), []
    for route in routes.parents_first:
        pending = pending_keys(route)
        keys = RawSQL(pending.sql, pending.params)  # noqa: S611 - built from our own names only
        bound = Binding.objects.filter(route=route, remote_id__isnull=False)
        number = bound.filter(routes.deletes(route), delete_allowed=False, object_key__in=keys).count()
        held, limit = bound.count() if number else 0, route.max_deletes
        if is_too_many(number, held=held, limit=limit):
            many.append(f"{number} of {route.model}, {reason(held=held, limit=limit)}")
    return f"Of these, deletes wait until a person has allowed them: {'; '.join(many)}." if many else ""


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
