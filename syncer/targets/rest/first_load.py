"""The first load: import all records of a target as our content, under the same ids, without sending them back."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.models import Q

from backoffice.kit import clock
from syncer.core.decide import Payload
from syncer.core.errors import NotPossibleError
from syncer.core.ids import encode_id, is_id
from syncer.core.outcome import Outcome
from syncer.engine.plan import anchor
from syncer.engine.sender import Sender
from syncer.models import Binding, Route, Target
from syncer.models.binding import DUE
from syncer.models.keys import json_value, key_of
from syncer.models.mapping import is_storable
from syncer.models.routemap import RouteMap
from syncer.targets.rest import REST
from syncer.targets.rest.endpoint import Endpoint
from syncer.targets.rest.exchanges import list_records
from syncer.targets.rest.payload import UnsendableError, read_back

BATCH = 1000  # rows an INSERT
ERRORS_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """One record of the target, and the object that it became.

    Attributes:
        obj: the object, not saved before it is loaded.
        remote_id: the record's encoded id.
        agreed: the record's fields that the route sends.
    """

    obj: models.Model
    remote_id: str
    agreed: Payload


def load_target(target: Target, tell: Callable[[str], None] = lambda _: None) -> dict[str, int]:
    """Fetch every record of every route, then store them in one transaction.

    The remote ids become ours. Each object is bound to its record with the fetched fields as `agreed`, so that the next
    sync finds it equal.

    Args:
        tell: called with one sentence for each route that was fetched.

    Returns:
        The number of records by model, `{"news.Post": 100}`.

    Raises:
        NotPossibleError: the target is a peer, a table holds rows already, deletes are pending, the target does not
            answer, or a record is not valid here. Nothing was written.
    """
    if target.kind != REST:
        raise NotPossibleError(
            f"{target} is a peer: there is no first load. Each end automatically sends what the other lacks; "
            "run sync_now here and there."
        )
    routes = RouteMap(target)
    ordered = routes.parents_first
    _refuse_unless_empty(ordered)
    with Sender(target) as sender:
        fetched = {route: _fetch(sender, target, route, tell) for route in ordered}
    with transaction.atomic(durable=True):
        _refuse_unless_empty(ordered)
        # Bindings of objects that were deleted at both ends remain; their keys would collide with those of new ones.
        Binding.objects.filter(route__in=ordered).delete()
        ids = {route.declaration.model: {str(record[route.id_field]) for record in fetched[route]} for route in ordered}
        for route, records in fetched.items():
            loaded = [_build(route, record) for record in records]
            _validate(route, loaded, ids)
            route.declaration.model._default_manager.bulk_create([item.obj for item in loaded], batch_size=BATCH)
            _bind(route, loaded, fetched)
            anchor(route)
            Route.objects.filter(pk=route.pk).update(adopted_at=clock.now())
        _reset_sequences(ordered)
    return {route.model: len(records) for route, records in fetched.items()}


def _refuse_unless_empty(routes: list[Route]) -> None:
    filled = [route.model for route in routes if route.declaration.model._default_manager.exists()]
    if filled:
        raise NotPossibleError(
            f"A first load needs empty tables, but there are rows in: {', '.join(filled)}. "
            "Delete them first, or sync the other way with sync_now."
        )
    if Binding.objects.filter(DUE | Q(remote_id__isnull=False), route__in=routes).exists():
        raise NotPossibleError(
            "Objects that were deleted here still have records at the target, or may have. Run sync_now first, so that "
            "they go; of what is in doubt, say with sync_resolve whether it is there."
        )


def _fetch(sender: Sender, target: Target, route: Route, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    result = sender.run(list_records(sender, Endpoint.of(route), is_import=True))
    if result.verdict is None or result.verdict.outcome is not Outcome.DONE:
        why = "was not asked" if result.verdict is None else result.verdict.why
        raise NotPossibleError(f"{target} {why} (asked for {route.path}). Nothing was written.")
    for record in result.records:
        if not isinstance(record, dict) or not is_id(record.get(route.id_field)):
            text = str(record)[:200]
            raise NotPossibleError(f"A record of {route.path} has no {route.id_field!r}: {text}. Nothing was written.")
    # A record can be listed twice, as pages shift when others are added meanwhile. The later reading is the newer one.
    records = list({str(record[route.id_field]): record for record in result.records}.values())
    tell(f"{route.model}: {len(records)} records fetched")
    return records


def _build(route: Route, record: dict[str, Any]) -> Loaded:
    """Return the object that `record` becomes; a foreign key takes the remote id, which is the parent's id here too."""
    model = route.declaration.model
    fields = {remote: local for remote, local in route.fields.items() if local not in route.declaration.computed}
    if missing := [name for name in fields if name not in record]:
        lacks = ", ".join(missing)
        raise NotPossibleError(f"A record of {route.path} lacks {lacks}: {str(record)[:200]}. Nothing was written.")
    if not_storable := [name for name in fields if not is_storable(record[name])]:
        holds = ", ".join(not_storable)
        raise NotPossibleError(
            f"A record of {route.path} holds in {holds} what can't be kept here. Nothing was written."
        )
    try:
        columns = {local: cast("models.Field[Any, Any]", model._meta.get_field(local)) for local in fields.values()}
        values = {columns[local].attname: value for local, value in read_back(route, record).items()}
    except UnsendableError as error:
        raise NotPossibleError(f"A record of {route.path} can't be read: {error}. Nothing was written.") from error
    agreed = {name: record[name] for name in {**route.fields, **route.constants} if name in record}
    remote_id, key = record[route.id_field], model._meta.pk
    pk = remote_id if isinstance(key, models.IntegerField) else str(remote_id)  # a UUIDField would take 1 for a UUID
    return Loaded(obj=model(**{key.attname: pk} | values), remote_id=encode_id(remote_id), agreed=agreed)


def _validate(route: Route, loaded: list[Loaded], ids: Mapping[type[models.Model], set[str]]) -> None:
    """Check every object by its model, and its foreign keys against the fetched `ids`, which takes no queries.

    Raises:
        NotPossibleError: an object is not valid, or its parent was not fetched.
    """
    relations = {field.name for field in route.declaration.model._meta.concrete_fields if field.is_relation}
    faults = []
    for item in loaded:
        for field in item.obj._meta.concrete_fields:
            value, parent = getattr(item.obj, field.attname), field.related_model
            parent_ids = ids.get(parent) if parent else None
            if parent_ids is not None and value is not None and str(value) not in parent_ids:
                faults.append(f"{route.model} {item.obj.pk}: {field.name}: the target lists no record {value}")
        try:
            item.obj.full_clean(validate_unique=False, exclude=relations)
        except ValidationError as error:
            faults += [
                f"{route.model} {item.obj.pk}: {name}: {' '.join(texts)}" for name, texts in error.message_dict.items()
            ]
    if faults:
        more = f" … and {len(faults) - ERRORS_SHOWN} more" if len(faults) > ERRORS_SHOWN else ""
        raise NotPossibleError(
            "The target holds records that are not valid here; nothing was written.\n"
            + "\n".join(faults[:ERRORS_SHOWN])
            + more
        )


def _bind(route: Route, loaded: list[Loaded], fetched: Iterable[Route]) -> None:
    """Bind each object to its record, under its parent's binding where the model declares a parent."""
    model, above, now = route.declaration.model, route.declaration.parent, clock.now()
    bindings, parent = _parents(route, fetched) if above else ({}, model)
    Binding.objects.bulk_create(
        (
            Binding(
                route=route,
                object_key=key_of(model, item.obj.pk),
                parent_id=bindings.get(key_of(parent, getattr(item.obj, f"{above}_id"))) if above else None,
                remote_id=item.remote_id,
                last_remote_id=item.remote_id,
                agreed={name: json_value(value) for name, value in item.agreed.items()},
                settled_at=now,
            )
            for item in loaded
        ),
        batch_size=BATCH,
    )


def _parents(route: Route, fetched: Iterable[Route]) -> tuple[dict[str, int], type[models.Model]]:
    """Return the parents' bindings, `{object_key: pk}`, and the parents' model."""
    related: Any = route.declaration.model._meta.get_field(str(route.declaration.parent)).related_model
    above = next((candidate for candidate in fetched if candidate.declaration.model is related), None)
    return dict(Binding.objects.filter(route=above).values_list("object_key", "pk")), related


def _reset_sequences(routes: list[Route]) -> None:
    """Let the database's next id follow the highest loaded one."""
    tables = [route.declaration.model for route in routes]
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), tables):
            cursor.execute(sql)
