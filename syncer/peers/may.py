"""What the peer's account may write here: the same as at any other door."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import models

from syncer.models import Route
from syncer.peers.judging import Faults, Judged
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
        verb = "delete" if one.row is None else "add" if one.stored is None else "change"
        permission = f"{options.app_label}.{verb}_{options.model_name}"
        if not user.has_perm(permission):
            one.faults = {"": [f"{user} needs the permission {permission}."]}
        elif one.row is not None:
            one.faults = {name: [text] for name, text in _refusals(one.row, one.stored, user)}
        one.instead = Result.REFUSED if one.faults else None
        if one.row is not None and not one.faults and (missing := _missing(one.row, links)):
            one.faults, one.instead = missing, Result.LATER


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


def _missing(row: models.Model, links: Mapping[str, set[Any]]) -> Faults:
    """What it points to and is not here; it may still come."""
    keys = {name: value_of(row, name) for name in links}
    return {name: [f"{key} is not there."] for name, key in keys.items() if key is not None and key not in links[name]}
