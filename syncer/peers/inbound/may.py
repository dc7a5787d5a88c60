"""What the peer's account may write here: the same as at any other door."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import models

from syncer.models import Route
from syncer.peers.inbound.judging import Faults, Judged
from syncer.peers.message import Result
from syncer.peers.replicas import value_of


def refuse(route: Route, found: Sequence[Judged], *, user: Any) -> None:
    """Give `faults` to what `user` may not write."""
    options = route.declaration.model._meta
    links = {
        column.name: _visible(column, found, user)
        for column in options.concrete_fields
        if column.name in route.shared and column.is_relation
    }
    for one in found:
        if one.row is one.stored or one.faults:
            continue
        one.faults = _forbidden(options, one, user)
        if one.is_known:
            continue  # nothing of it can be refused any more
        if one.faults:
            one.instead = Result.REFUSED
        elif missing := _missing(one, links):
            one.faults, one.instead = missing, Result.LATER


def _forbidden(options: Any, one: Judged, user: Any) -> Faults:
    verb = "delete" if one.row is None else "add" if one.stored is None else "change"
    permission = f"{options.app_label}.{verb}_{options.model_name}"
    if not user.has_perm(permission):
        return {"": [f"{user} needs the permission {permission}."]}
    if one.stored is not None and not one.stored.is_visible_to(user):  # type: ignore[attr-defined]
        return {"": [f"{user} may not see it."]}
    return {} if one.row is None else {name: [text] for name, text in _refusals(one.row, one.stored, user)}


def _visible(column: Any, found: Sequence[Judged], user: Any) -> set[Any]:
    """What the column of these rows may point to; one query for all of them."""
    wanted = {getattr(one.row, column.attname) for one in found if one.row} - {None}
    parents = column.related_model._default_manager.visible_to(user).filter(pk__in=wanted)
    return set(parents.values_list("pk", flat=True))


def _refusals(row: Any, stored: models.Model | None, user: Any) -> Iterator[tuple[str, str]]:
    before = stored or type(row)()
    values = {column.attname: getattr(before, column.attname) for column in row._meta.concrete_fields}
    for name, permission in row.restrictions(values):
        if not user.has_perm(permission):
            yield name, f"{user} needs the permission {permission} to set it so."


def _missing(one: Judged, links: Mapping[str, set[Any]]) -> Faults:
    """What it is to point to from now on and is not here; it may still come."""
    if one.row is None:
        return {}
    old = {name: value_of(one.stored, name) if one.stored else None for name in links}
    new = {name: value_of(one.row, name) for name in links}
    gone = {name: key for name, key in new.items() if key not in (None, old[name], *links[name])}
    return {name: [f"{key} is not there."] for name, key in gone.items()}
