"""The backlog of a target: objects that are pending, waiting or set aside, counted from the rows at each call."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Min, Q, QuerySet

from backoffice.kit.estimates import MOST, Count, bounded, total
from backoffice.kit.phrases import message_of
from syncer.core.errors import SyncError
from syncer.core.state import State
from syncer.models import mark
from syncer.models.binding import BLOCKED, DUE, FACTS, FAILED, UNBLOCKED, Binding
from syncer.models.mapping import declarations
from syncer.models.mark import Condition, keys_of
from syncer.models.replica import Replica
from syncer.models.route import Route
from syncer.models.target import Target
from syncer.targets.base import kind_of

PAGE = 500  # keys


@dataclass(frozen=True, kw_only=True)
class RouteStatus:
    """The state of one route at this moment, in numbers of objects."""

    route: Route
    pending: int  # to be compared with the target, and sent where they differ
    retrying: int  # pending objects whose last try failed
    rejected: int  # refused for good; the next edit tries them again
    in_doubt: int  # whether their create arrived can't be found out
    on_hold: int  # kept back by a person
    conflicts: int  # for a peer: edited at both ends, and waiting for a person
    bound: int  # with a record at the target
    next_try: datetime | None  # of the first of the retrying objects

    @property
    def undone(self) -> int:
        """The number of objects that are not at the target as they are here."""
        return self.pending + self.rejected + self.in_doubt + self.conflicts


def of_route(route: Route, *, most: int | None = None) -> RouteStatus:
    """Return the status of one route.

    Args:
        most: a number above it is given as "more than" it, so that counting takes milliseconds however much there is to
            count; None: every number is exact.

    Raises:
        ForeignMarkError: the route's mark was taken in another database.
    """
    conditions = {
        "retrying": DUE & UNBLOCKED & FAILED,
        "rejected": DUE & Q(backlog=State.REJECTED),
        "in_doubt": BLOCKED & Q(backlog=State.IN_DOUBT),
        "on_hold": BLOCKED & Q(backlog=State.ON_HOLD),
        "bound": FACTS["bound"],
    }
    bindings = Binding.objects.filter(route=route).order_by()
    rows: dict[str, QuerySet[Any]] = {name: bindings.filter(condition) for name, condition in conditions.items()}
    if kind_of(route.target).is_two_way:
        rows["conflicts"] = Replica.objects.waiting().filter(model=route.model).order_by()
    numbers = {"conflicts": 0, **_numbers({name: _keys(found, most) for name, found in rows.items()}, most)}
    next_try = rows["retrying"].aggregate(at=Min("not_before"))["at"] if numbers["retrying"] else None
    return RouteStatus(route=route, pending=_pending(route, most), next_try=next_try, **numbers)


def _keys(rows: "QuerySet[Any]", most: int | None) -> Condition:
    """Return a query of the keys of these rows, of one more than `most` of them."""
    keys = rows.values("pk")
    return Condition(*(keys if most is None else keys[: most + 1]).query.sql_with_params())


def _numbers(queries: Mapping[str, Condition], most: int | None) -> dict[str, int]:
    """Return the number of rows of each query, by one statement."""
    parts = ", ".join(f"(SELECT count(*) FROM ({query.sql}) AS found)" for query in queries.values())
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {parts}", [value for query in queries.values() for value in query.params])
        found = dict(zip(queries, cursor.fetchone(), strict=True))
    return {name: number if most is None else bounded(number, most) for name, number in found.items()}


def _pending(route: Route, most: int | None) -> int:
    """Return the number of objects that the next "Sync now" will examine.

    An object that changed often is one object. So where more than `most` changes were left uncounted, the number is
    given as "at least" the objects of the first ones.
    """
    if most is None:
        return _numbers({"pending": pending_keys(route)}, None)["pending"]
    is_new = route.fingerprint != route.current_fingerprint()
    text, peer = "" if is_new else route.mark, route.target.peer_node
    changes = mark.first_changes(route.declaration.model, text, most + 1, but_from=peer, apart=route.pk)
    others = Binding.objects.filter(Q() if is_new else DUE & UNBLOCKED, route=route).order_by()
    keys = Condition(*others.values("object_key")[: most + 1].query.sql_with_params())
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH changes AS ({changes.sql}) SELECT (SELECT count(*) FROM changes), (SELECT count(*) FROM "
            f"(SELECT CAST(pk AS text) FROM changes UNION SELECT object_key FROM ({keys.sql}) AS others) AS pending)",
            [*changes.params, *keys.params],
        )
        read, number = cursor.fetchone()
    return Count(number, "at least") if number <= most < read else bounded(number, most)


def pending_at(target: Target) -> Count:
    """Return the number of objects that a sync of the target would examine now, counted to a bound.

    Raises:
        ForeignMarkError: a route's mark was taken in another database.
    """
    routes = target.routes.filter(enabled=True).select_related("target")
    return total(_pending(route, MOST) for route in routes)


def stopped(route: Route) -> str:
    """Return why the changes since the route's mark can't be determined, and the cure; empty where they can."""
    try:
        if route.mark and route.model in declarations():
            mark.since(route.declaration.model, route.mark)
    except SyncError as error:
        return message_of(error)
    return ""


def of_target(target: Target) -> list[RouteStatus]:
    """Return the status of each enabled route, with exact numbers."""
    return [of_route(route) for route in target.routes.filter(enabled=True).select_related("target")]


def pending_keys(route: Route) -> Condition:
    """Return a query of one column `object_key`: the objects that the next "Sync now" will examine."""
    is_new = route.fingerprint != route.current_fingerprint()
    text, peer = "" if is_new else route.mark, route.target.peer_node
    changed = mark.changed_pks(route.declaration.model, text, but_from=peer, apart=route.pk)
    keys = keys_of(changed, and_bound=route.pk if is_new else None)
    due = Binding.objects.filter(DUE & UNBLOCKED, route=route).order_by().values("object_key")
    sql, params = due.query.sql_with_params()
    return Condition(f"{keys.sql} UNION {sql}", (*keys.params, *params))


def pending_pages(route: Route) -> Iterator[list[str]]:
    """Yield the keys of `pending_keys` in their order, `PAGE` of them at a time."""
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


def last_failure(target: Target) -> str:
    """Return why a retried object failed, as a predicate to follow the target's name; empty: none is retried."""
    retrying = Binding.objects.left(target).filter(UNBLOCKED, tries__gt=0).exclude(reason="")
    return retrying.order_by("tries").values_list("reason", flat=True).first() or ""


def failed(target: Target) -> dict[str, list[str]]:
    """Return the objects that failed or were rejected, as the scope of a run: `{"news.Post": ["1", "2"]}`."""
    rows = Binding.objects.left(target).filter(Q(tries__gt=0) | Q(rejected__isnull=False), in_doubt=False)
    scope: dict[str, list[str]] = {}
    for model, key in rows.values_list("route__model", "object_key"):
        scope.setdefault(model, []).append(key)
    return scope
