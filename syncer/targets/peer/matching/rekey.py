"""Changing the keys of our objects to those that a peer has for them, at the first matching.

Constraints, each of which some plausible shortcut breaks:
- For every other target the object stays the same: no record there is deleted and created again. So bindings follow the
  object, and no delivery may be under way: its worker would find no object under the old key, and delete the record.
- History keeps the old key: it ends under one key and begins under the other, and each names the other.
- Objects that link to the object follow, with history of their own.
- An object that a peer knows already keeps its key: with another it would be a second object there.

So it is one transaction: lock the objects, then the bindings; check again; change keys, links and bindings.
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
    """Return the keys under which some peer knows, or may know, the objects."""
    shared: set[str] = set()
    for batch in batched(keys, PAGE):
        wire_keys = {key_of(route.declaration.model, UUID(key)): key for key in batch}
        stamped = Replica.objects.filter(model=route.model, object_key__in=wire_keys).exclude(seen={})
        bound = Binding.objects.filter(
            Q(peer_seen__isnull=False) | Q(remote_id__isnull=False),
            route__model=route.model,
            route__target__kind=PEER,
            object_key__in=wire_keys,
        )
        for rows in (stamped, bound):
            shared |= {wire_keys[key] for key in rows.values_list("object_key", flat=True)}
    return shared


def rekey(route: Route, pairs: Mapping[str, str]) -> None:
    """Change the keys of our objects, all of them or none.

    Args:
        pairs: `{key: new key}`, as peers write them.

    Raises:
        NotPossibleError: the key of one object can't be changed; nothing was changed.
    """
    try:
        with transaction.atomic(durable=True):
            for batch in batched(sorted(pairs), PAGE):
                _rekey(route, {UUID(key): UUID(pairs[key]) for key in batch})
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
    """Check, under lock, that no peer knows the objects, no new key is taken, and no delivery is under way.

    Raises:
        NotPossibleError: one of these is not so.
    """
    model = route.declaration.model
    if known := shared_already(route, map(str, (*pairs, *pairs.values()))):
        raise NotPossibleError(f"{route.model}:{min(known)} was shared with a peer already. Nothing was changed")
    if model._default_manager.filter(pk__in=pairs.values()).exists():
        raise NotPossibleError(f"{route.model}: a new key is there already. Nothing was changed; do it again")
    keys = [key_of(model, old) for old in pairs]
    bindings = Binding.objects.filter(route__model=route.model, object_key__in=keys)
    for binding in list(bindings.order_by("object_key", "pk").select_for_update(of=("self",))):
        if binding.lease_until is None or binding.lease_until <= clock.now():
            continue
        raise NotPossibleError(f"{binding} is being delivered just now. Nothing was changed; do it again in a minute")


def _move(model: type[models.Model], name: str, pairs: Mapping[UUID, UUID]) -> None:
    """Change a column's keys in one statement; the database checks foreign keys at the end of the transaction."""
    prepared = models.UUIDField().get_db_prep_value
    values = [(prepared(old, connection), prepared(new, connection)) for old, new in pairs.items()]
    cast = "::uuid" if connection.vendor == "postgresql" else ""
    cases = " ".join([f"WHEN %s{cast} THEN %s{cast}"] * len(values))
    places = ", ".join([f"%s{cast}"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table(model)} SET {name} = CASE {name} {cases} END WHERE {name} IN ({places})",
            [*(key for pair in values for key in pair), *(old for old, _ in values)],
        )


def _links(model: type[models.Model]) -> Iterator[tuple[type[models.Model], Any]]:
    """Yield the models that link to `model`, and their foreign keys, without history models: history keeps old keys."""
    for relation in model._meta.get_fields(include_hidden=True):
        if not (relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one)):
            continue
        related: Any = relation.related_model
        if not hasattr(related, "history_type"):
            yield related, relation.field  # type: ignore[union-attr]


def _follow(route: Route, pairs: Mapping[UUID, UUID]) -> None:
    """Move bindings and replicas to the new keys, after deleting the rows there, which hold no information."""
    model = route.declaration.model
    moves = {key_of(model, old): key_of(model, new) for old, new in pairs.items()}
    bindings = Binding.objects.filter(route__model=route.model)
    empty = bindings.filter(
        object_key__in=moves.values(), remote_id=None, create_key=None, unconfirmed=False, on_hold=False
    )
    empty.delete()
    replicas = Replica.objects.filter(model=route.model)
    replicas.filter(object_key__in=moves.values()).delete()  # none of them has a version vector
    for old, new in moves.items():
        bindings.filter(object_key=old).update(object_key=new, token=F("token") + 1)
        replicas.filter(object_key=old).update(object_key=new)
