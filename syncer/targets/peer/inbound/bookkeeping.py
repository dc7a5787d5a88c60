"""What a batch that came in means for the bindings: what its sender has seen, and what is wanted where."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from backoffice.kit import clock
from syncer.core.lookup import encode_id
from syncer.core.merge import covers, together
from syncer.engine.plan import raise_keys
from syncer.engine.wake import wake_followers
from syncer.models import Binding, Route
from syncer.targets.peer import PEER
from syncer.targets.peer.inbound.merging import MergedItem
from syncer.targets.peer.replicas import wire_key

COLUMNS = ("object_key", "peer_seen", "common", "remote_id", "last_remote_id", "settled_at")

Bindings = Mapping[str, Binding]  # by the objects' keys


def note(route: Route, kept: Sequence[MergedItem], stamped: set[str], *, is_current: bool) -> None:
    """Note what the peer has seen, and raise what some peer has not, also where only causality grew.

    In the order of the routes, and of the keys within each, as all who lock bindings.

    Args:
        stamped: the objects that turned out to have been edited here.
        is_current: else an older incarnation spoke, and what it has seen says nothing of what the newer one has.
    """
    mine = {one.key for one in kept if one.key in stamped}
    came = [one for one in kept if not one.is_known]
    news = sorted({*mine, *(one.key for one in came)})
    left = sorted(
        {*mine, *(one.key for one in came if not is_current or not covers(one.item.state.seen, one.state.seen))}
    )
    raised = 0
    for other in Route.objects.filter(model=route.model, target__kind=PEER).order_by("pk"):
        if other.pk != route.pk:
            raised += raise_keys(other, news)
            continue
        if is_current:
            _note_seen(route, kept)
        raised += raise_keys(route, left)
    if raised:
        transaction.on_commit(lambda: wake_followers(route.model), robust=True)


def _note_seen(route: Route, kept: Sequence[MergedItem]) -> None:
    """Write what is new; a batch that is repeated changes nothing.

    What is new is locked by the statement that makes what is missing, in the order of the keys: to lock what is there
    and then to insert would be two orders, and planners insert.
    """
    known = _known(route, (one.key for one in kept))
    news = sorted((one for one in kept if _is_news(one, known.get(one.key))), key=lambda one: one.key)
    if news:
        raise_keys(route, [one.key for one in news], by=0)
        known, now = _known(route, (one.key for one in news)), clock.now()
        _write([_row(one, known[one.key], now) for one in news], route)


def _known(route: Route, keys: Iterable[str]) -> Bindings:
    found = Binding.objects.filter(route=route, object_key__in=list(keys))
    return {row.object_key: row for row in found.only("object_key", "peer_seen", "common", "remote_id")}


def _is_news(one: MergedItem, known: Binding | None) -> bool:
    if known is None or known.peer_seen is None or not covers(known.peer_seen, one.item.state.seen):
        return True
    return known.remote_id != _remote_id(one) or (one.is_news and known.common != one.replica.read)


def _row(one: MergedItem, known: Binding, now: datetime) -> tuple[Any, ...]:
    """The values of COLUMNS."""
    seen = json.dumps(together(known.peer_seen or {}, one.item.state.seen))
    common = one.replica.read if one.is_news else known.common
    return one.key, seen, common, _remote_id(one), _record(one), connection.ops.adapt_datetimefield_value(now)


def _write(rows: Sequence[tuple[Any, ...]], route: Route) -> None:
    """One statement: Django's own would take a third of the whole batch's time, with all of a binding's columns."""
    places = ", ".join([f"({', '.join(['%s'] * (1 + len(COLUMNS)))})"] * len(rows))
    taken = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO syncer_binding (route_id, {', '.join(COLUMNS)}) VALUES {places} "
            f"ON CONFLICT (route_id, object_key) DO UPDATE SET {taken}",
            [value for row in rows for value in (route.pk, *row)],
        )


def _record(one: MergedItem) -> str:
    return encode_id(wire_key(one.key))


def _remote_id(one: MergedItem) -> str | None:
    return _record(one) if one.replica.shadow is not None else None
