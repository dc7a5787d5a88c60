"""Giving objects of ours the keys that a peer has for them, at the first matching.

Constraints, each of which some plausible shortcut breaks:
- To every other target the object stays the same one: no record there is deleted and made again. So bindings follow it,
  and no delivery may be under way: its worker would find no object under the old key, and delete.
- What the object's key was stays in history: it ends under one key and begins under the other, each naming the other.
- Whatever points to it follows, with history of its own.
- An object that a peer knows already keeps its key: it would be another object there.

So it is one transaction: objects locked, then bindings; looked at again; keys, links, bindings.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection, models, transaction
from django.db.models import F, Q

from backoffice.kit import clock
from backoffice.kit.batches import batched
from backoffice.kit.context import because, cause, caused_by
from syncer.core.errors import NotPossibleError
from syncer.engine.wake import wake_followers
from syncer.models import Binding, Replica, Route
from syncer.models.keys import column, key_of, table
from syncer.targets.peer import PEER

PAGE = 200  # objects a statement
REASON = "The same as {other} at {node}"


def shared_already(route: Route, keys: Iterable[str]) -> set[str]:
    """Those that some peer knows, or may know, under the key that they have."""
    found: set[str] = set()
    for some in batched(keys, PAGE):
        of_key = {key_of(route.declaration.model, UUID(key)): key for key in some}
        stamped = Replica.objects.filter(model=route.model, object_key__in=of_key).exclude(seen={})
        there = Binding.objects.filter(
            Q(peer_seen__isnull=False) | Q(remote_id__isnull=False),
            route__model=route.model,
            route__target__kind=PEER,
            object_key__in=of_key,
        )
        for rows in (stamped, there):
            found |= {of_key[key] for key in rows.values_list("object_key", flat=True)}
    return found


def rekey(route: Route, pairs: Mapping[str, str]) -> None:
    """Give our objects other keys, `{key: new key}`, as peers write them. All or nothing.

    Raises:
        NotPossibleError: one of them can't be given another; nothing was changed.
    """
    try:
        with transaction.atomic(durable=True):
            for some in batched(sorted(pairs), PAGE):
                _rekey(route, {UUID(key): UUID(pairs[key]) for key in some})
            transaction.on_commit(lambda: wake_followers(route.model), robust=True)
    except DatabaseError as error:
        raise NotPossibleError(
            f"{route.model}: the database does not let objects have other keys ({str(error).splitlines()[0]}). "
            "Nothing was changed"
        ) from error


def _rekey(route: Route, pairs: Mapping[UUID, UUID]) -> None:
    model = route.declaration.model
    objects = {row.pk: row for row in model._default_manager.filter(pk__in=pairs).order_by("pk").select_for_update()}
    if objects.keys() != pairs.keys():
        raise NotPossibleError(f"{route.model}: some were deleted meanwhile. Nothing was changed; do it again")
    _refuse_known(route, pairs)
    node = route.target.peer_node
    ended = {old: {"reason": REASON.format(other=new, node=node)} for old, new in pairs.items()}
    begun = {new: {"reason": f"Had the key {old} before"} for old, new in pairs.items()}
    with caused_by(replace(cause(), rows={model: ended | begun})):
        _move(model, column(model), pairs)
    for related, link in _links(model):
        with because(f"What it belongs to ({link.name}) has another key now"):
            _move(related, column(related, link.name), pairs)
    _follow(route, pairs)


def _refuse_known(route: Route, pairs: Mapping[UUID, UUID]) -> None:
    model = route.declaration.model
    if known := shared_already(route, map(str, (*pairs, *pairs.values()))):
        raise NotPossibleError(f"{route.model}:{min(known)} was shared with a peer already. Nothing was changed")
    if model._default_manager.filter(pk__in=pairs.values()).exists():
        raise NotPossibleError(f"{route.model}: a new key is there already. Nothing was changed; do it again")
    keys = [key_of(model, old) for old in pairs]
    bindings = Binding.objects.filter(route__model=route.model, object_key__in=keys)
    locked = list(bindings.order_by("object_key", "pk").select_for_update(of=("self",)))
    if busy := [one for one in locked if one.lease_until is not None and one.lease_until > clock.now()]:
        raise NotPossibleError(f"{busy[0]} is being delivered just now. Nothing was changed; do it again in a minute")


def _move(model: type[models.Model], name: str, pairs: Mapping[UUID, UUID]) -> None:
    """One statement; the keys are checked by the database at the transaction's end."""
    prepared = models.UUIDField().get_db_prep_value
    values = [(prepared(old, connection), prepared(new, connection)) for old, new in pairs.items()]
    cast = "::uuid" if connection.vendor == "postgresql" else ""
    cases = " ".join([f"WHEN %s{cast} THEN %s{cast}"] * len(values))
    places = ", ".join([f"%s{cast}"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table(model)} SET {name} = CASE {name} {cases} END WHERE {name} IN ({places})",
            [*(one for pair in values for one in pair), *(old for old, _ in values)],
        )


def _links(model: type[models.Model]) -> Iterator[tuple[type[models.Model], Any]]:
    """What points to objects of `model`: models and their foreign keys; history keeps what it says."""
    for relation in model._meta.get_fields(include_hidden=True):
        if not (relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one)):
            continue
        related: Any = relation.related_model
        if not hasattr(related, "history_type"):
            yield related, relation.field  # type: ignore[union-attr]


def _follow(route: Route, pairs: Mapping[UUID, UUID]) -> None:
    """Bindings and replicas stand for the objects under their new keys. Rows that say nothing are in the way there."""
    model = route.declaration.model
    moves = {key_of(model, old): key_of(model, new) for old, new in pairs.items()}
    bindings = Binding.objects.filter(route__model=route.model)
    empty = bindings.filter(
        object_key__in=moves.values(), remote_id=None, create_key=None, unconfirmed=False, on_hold=False
    )
    empty.delete()
    replicas = Replica.objects.filter(model=route.model)
    replicas.filter(object_key__in=moves.values()).delete()  # none of them has seen anything
    for old, new in moves.items():
        bindings.filter(object_key=old).update(object_key=new, token=F("token") + 1)
        replicas.filter(object_key=old).update(object_key=new)
