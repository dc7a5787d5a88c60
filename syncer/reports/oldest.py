"""The change that has waited longest to be sent, read from the history."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from backoffice.kit.history import history_of, time_of
from syncer.models import Binding, Route, mark
from syncer.models.binding import DUE, UNBLOCKED
from syncer.models.keys import column, table
from syncer.models.mark import Condition

READ = 500  # due bindings of a route


@dataclass(frozen=True, kw_only=True)
class Oldest:
    """A change that a target has not accepted yet."""

    route: Route
    key: str  # of the object
    at: datetime  # when it was last edited; of an object that no plan has read yet, when it was first


def oldest_unsent(routes: Iterable[Route]) -> Oldest | None:
    """Return the oldest change that waits to be sent by one of these routes, by one statement; None: nothing waits.

    Of a route with many due objects, the first `READ` are looked at. What waits for a person does not count, nor do
    the objects of a route that was never planned: they were not changed, but not yet sent.
    """
    by_pk = {route.pk: route for route in routes}
    queries = [query for route in by_pk.values() for query in _queries(route)]
    if not queries:
        return None
    sql = " UNION ALL ".join(f"SELECT * FROM ({query.sql}) AS waiting" for query in queries)
    params = [value for query in queries for value in query.params]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({sql}) AS waiting WHERE at IS NOT NULL ORDER BY at LIMIT 1", params)
        found = cursor.fetchone()
    return None if found is None else Oldest(route=by_pk[found[0]], key=found[1], at=time_of(found[2]))


def _queries(route: Route) -> Iterable[Condition]:
    """Yield queries of `(route, object_key, at)`: of the first change after the mark, and of the due bindings."""
    model = route.declaration.model
    if change := mark.first_change(model, route.mark, but_from=route.target.peer_node, apart=route.pk):
        yield Condition(f"SELECT {int(route.pk)} AS route, object_key, at FROM ({change.sql}) AS first", change.params)
    due = Binding.objects.filter(DUE & UNBLOCKED, route=route).order_by("pk").values("object_key")[:READ]
    sql, params = due.query.sql_with_params()
    key = f"CAST(due.object_key AS {model._meta.pk.cast_db_type(connection)})"
    last = f"SELECT max(h.history_date) FROM {table(history_of(model))} h WHERE h.{column(model)} = {key}"
    yield Condition(f"SELECT {int(route.pk)} AS route, due.object_key, ({last}) AS at FROM ({sql}) AS due", params)
