"""Locking replicas, and stamping: a change that was made here becomes an edit with a number.

Stamping needs only the replica's own lock, because `shadow` is exactly the content that was read. A save under way is
stamped the next time, because the history will name it. So neither waits for the other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import Q

from backoffice.kit.bulk import update_rows
from backoffice.kit.history import history_of
from syncer.core.merge import ASK, EXISTS, By, Content, Rules, changed, differing, outcome, stamp
from syncer.models import Replica, Route
from syncer.models.keys import json_value
from syncer.targets.peer.rows import Rows, attname, column_of, content_of

COLUMNS = ["id", "shadow", "seen", "fields", "read", "conflicts", "conflict_at"]


def wire_key(key: str) -> str:
    """Return a key as peers write it, with dashes; everywhere else keys are as the database writes them."""
    return str(UUID(key))


def lock(route: Route, keys: Iterable[str]) -> dict[str, Replica]:
    """Lock the replicas of these objects until the transaction ends, and return them by key; create missing ones.

    All are created before any is locked, so that no holder of a lock waits for a transaction that is still creating.
    """
    wanted = sorted(set(keys))
    rows = Replica.objects.filter(model=route.model, object_key__in=wanted)
    existing = set(rows.values_list("object_key", flat=True))
    if missing := [key for key in wanted if key not in existing]:
        Replica.objects.bulk_create(
            (Replica(model=route.model, object_key=key) for key in missing), ignore_conflicts=True
        )
    return {row.object_key: row for row in rows.select_for_update().order_by("pk")}


def store(replicas: Iterable[Replica]) -> None:
    """Write locked replicas, in one statement."""
    update_rows(Replica, ({name: getattr(row, name) for name in COLUMNS} for row in replicas), match=["id"])


def stamp_all(route: Route, replicas: Mapping[str, Replica], live: Rows, *, me: str) -> set[str]:
    """Stamp the objects that were edited here since they were last stamped. The replicas are not stored.

    An edit of a field that waited for a person decides its conflict.

    Args:
        live: the objects that exist, by key.
        me: our writer.

    Returns:
        The keys of the objects that were edited.
    """
    contents = {key: content_of(route, live.get(key)) for key in replicas}
    shadows = {key: shadow_of(route, replica) for key, replica in replicas.items()}
    edited = [replica for key, replica in replicas.items() if changed(shadows[key], contents[key])]
    histories = unstamped_histories(route, edited)
    for replica in edited:
        history = histories.get(replica.object_key, UnstampedHistory())
        content, shadow = contents[replica.object_key], shadows[replica.object_key]
        late = late_fields(route, replica) - changed(shadow, content)
        state = replica.state
        if content is None and history.deleted is not None:
            # Edited, then deleted: should the delete lose, the restored object must have the edit.
            state, shadow = stamp(state, shadow, history.deleted, me=me, by=history.by), history.deleted
        state = stamp(state, shadow, content, me=me, by=history.by)
        replica.take(state, content and {name: value for name, value in content.items() if name not in late})
        replica.read = history.newest or replica.read
        drop_decided(route, replica, content)
    return {replica.object_key for replica in edited}


def late_fields(route: Route, replica: Replica) -> set[str]:
    """Return the fields that this program did not have when it last stamped the object, but that a peer has edited."""
    if replica.shadow is None:
        return set()
    return {name for name in route.shared if name in replica.fields and name not in replica.shadow}


def shadow_of(route: Route, replica: Replica) -> Content | None:
    """Return the content with which the live row is compared.

    A new field's default is not an edit: a peer may have edited the field already.
    """
    if replica.shadow is None:
        return None
    model = route.declaration.model
    defaults = {name: json_value(column_of(model, name).get_default()) for name in late_fields(route, replica)}
    return {**replica.shadow, **defaults}


def rules_of(route: Route, replica: Replica) -> Rules:
    """Return the rules for one object: the route's, and its fields that wait for a person keep waiting."""
    waiting = {name for name, why in (replica.conflicts or {}).items() if why == ASK}
    return Rules(authority=route.rules.authority, ask=frozenset(waiting))


def drop_decided(route: Route, replica: Replica, content: Content | None) -> None:
    """Remove the conflicts that no longer exist, now that the object is `content`."""
    if not replica.conflicts:
        return
    merged = outcome(replica.state, rules_of(route, replica), live=content)
    is_invalid = bool(differing(merged.content, content))  # the merged edits could not be written
    remaining = {
        name: why for name, why in replica.conflicts.items() if (name in merged.conflicts if why == ASK else is_invalid)
    }
    replica.conflicts = remaining or None
    replica.conflict_at = replica.conflict_at if remaining else None


# --- our own history of an object since it was last stamped ----------------------------------------------------------
# The authors of edits are for people at the other end, and decide nothing. The content that an object had when it was
# deleted here is stamped, see `stamp_all`.
HISTORY = ("history_id", "history_type", "history_date", "history_change_reason", "history_user_name", "origin")


@dataclass(frozen=True, kw_only=True)
class UnstampedHistory:
    """The history of one object since it was last stamped.

    Attributes:
        by: the author of the last edit of each field, and of EXISTS.
        newest: the id of the newest row; None if there is no newer one.
        deleted: the content that the object had when it was deleted here; None if it was not deleted.
    """

    by: Mapping[str, By] = field(default_factory=dict)
    newest: int | None = None
    deleted: Content | None = None


def unstamped_histories(route: Route, edited: Iterable[Replica]) -> dict[str, UnstampedHistory]:
    """Return the history of these objects since they were last stamped, by key, with one query."""
    replicas = {UUID(replica.object_key): replica for replica in edited}
    if not replicas:
        return {}
    pk = route.declaration.model._meta.pk.attname
    after = min(replica.read for replica in replicas.values())
    rows = history_of(route.declaration.model)._default_manager.filter(
        Q(**{f"{pk}__in": list(replicas)}), history_id__gt=after
    )
    columns = [pk, *HISTORY, *(attname(route.declaration.model, name) for name in route.shared)]
    ordered = rows.order_by(pk, "history_id").values(*columns)
    return {
        replicas[key].object_key: _unstamped_history(route, replicas[key], list(versions))
        for key, versions in groupby(ordered, key=lambda row: row[pk])
    }


def _unstamped_history(route: Route, replica: Replica, versions: list[dict[str, Any]]) -> UnstampedHistory:
    before: Content = replica.shadow or {}
    by: dict[str, By] = {}
    deleted: Content | None = None
    for row in versions:
        if row["history_id"] <= replica.read:
            continue
        content = {name: json_value(row[attname(route.declaration.model, name)]) for name in route.shared}
        if not row["origin"]:
            author = By(
                user=row["history_user_name"],
                reason=row["history_change_reason"] or "",
                at=row["history_date"].isoformat(timespec="milliseconds"),
            )
            if row["history_type"] != "-":
                by |= {name: author for name in content if before.get(name) != content[name]}
            by[EXISTS] = author
        is_deleted = row["history_type"] == "-"
        deleted = content if is_deleted and not row["origin"] else None
        before = {} if is_deleted else content
    return UnstampedHistory(by=by, newest=versions[-1]["history_id"], deleted=deleted)
