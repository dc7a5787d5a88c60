"""Replicas under lock, and stamping: what was edited here becomes an edit with a number.

Only a replica's own lock is needed to stamp: `shadow` is exactly what was read. What an editor is writing just then is
seen the next time, for the history will name it. So no save waits for this, and this for no save.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import Q

from backoffice.kit.history import history_of
from syncer.core.merge import ASK, EXISTS, By, Content, Rules, changed, differing, outcome, stamp
from syncer.models import Replica, Route
from syncer.models.keys import json_value
from syncer.targets.peer.rows import Rows, attname, content_of

COLUMNS = ["shadow", "seen", "fields", "read", "conflicts", "conflict_at"]


def wire_key(key: str) -> str:
    """A key as peers write it; ours is as the database writes it."""
    return str(UUID(key))


def lock(route: Route, keys: Iterable[str]) -> dict[str, Replica]:
    """The replicas of these objects, by key, locked until the transaction ends; made where there were none.

    All are made before any is locked: whoever holds a lock then waits for nobody who is still making some.
    """
    wanted = sorted(set(keys))
    rows = Replica.objects.filter(model=route.model, object_key__in=wanted)
    there = set(rows.values_list("object_key", flat=True))
    if missing := [key for key in wanted if key not in there]:
        Replica.objects.bulk_create(
            (Replica(model=route.model, object_key=key) for key in missing), ignore_conflicts=True
        )
    return {row.object_key: row for row in rows.select_for_update().order_by("pk")}


def store(found: Iterable[Replica]) -> None:
    """Write replicas that are locked; one statement."""
    rows = sorted(found, key=lambda row: row.pk)
    if rows:
        Replica.objects.bulk_create(rows, update_conflicts=True, unique_fields=["id"], update_fields=COLUMNS)


def stamp_all(route: Route, replicas: Mapping[str, Replica], live: Rows, *, me: str) -> set[str]:
    """Stamp what was edited here since the last time; the keys of these objects. The replicas are not stored yet.

    An edit of a field that waited for a person is the decision.
    """
    contents = {key: content_of(route, live.get(key)) for key in replicas}
    shadows = {key: shadow_of(route, one) for key, one in replicas.items()}
    edited = [one for key, one in replicas.items() if changed(shadows[key], contents[key])]
    told = authors(route, edited)
    for one in edited:
        of_object = told.get(one.object_key)
        content, shadow = contents[one.object_key], shadows[one.object_key]
        late = lacking(route, one) - changed(shadow, content)
        by = of_object.by if of_object else None
        state = one.state
        if content is None and of_object is not None and of_object.left is not None:
            # Edited, then deleted: should the delete lose, the edit must be in what comes back.
            state, shadow = stamp(state, shadow, of_object.left, me=me, by=by), of_object.left
        state = stamp(state, shadow, content, me=me, by=by)
        one.take(state, content and {name: value for name, value in content.items() if name not in late})
        one.read = (of_object.newest if of_object else None) or one.read
        drop_decided(route, one, content)
    return {one.object_key for one in edited}


def lacking(route: Route, replica: Replica) -> set[str]:
    """Fields that this program did not know when the object was last looked at, and of which a peer told already."""
    if replica.shadow is None:
        return set()
    return {name for name in route.shared if name in replica.fields and name not in replica.shadow}


def shadow_of(route: Route, replica: Replica) -> Content | None:
    """What the live row is compared with. That a new field has its default is no edit: the peer's may know better."""
    if replica.shadow is None:
        return None
    model = route.declaration.model
    defaults = {name: json_value(model._meta.get_field(name).get_default()) for name in lacking(route, replica)}  # type: ignore[union-attr]
    return {**replica.shadow, **defaults}


def rules_of(route: Route, replica: Replica) -> Rules:
    """The route's, and what of this object waits for a person already goes on to wait."""
    asked = {name for name, why in (replica.conflicts or {}).items() if why == ASK}
    return Rules(authority=route.rules.authority, ask=frozenset(asked))


def drop_decided(route: Route, replica: Replica, content: Content | None) -> None:
    """Let go of conflicts that are none any more, now that the object is `content`."""
    if not replica.conflicts:
        return
    found = outcome(replica.state, rules_of(route, replica), live=content)
    is_off = bool(differing(found.content, content))
    left = {name: why for name, why in replica.conflicts.items() if (name in found.conflicts if why == ASK else is_off)}
    replica.conflicts = left or None
    replica.conflict_at = replica.conflict_at if left else None


# --- what our own history tells of an object since it was last stamped -----------------------------------------------
# Who edited what is for people at the other end to read, and decides nothing. What an object was when it was deleted
# here is stamped, see `stamp_all`.
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
