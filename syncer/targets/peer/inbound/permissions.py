"""What the peer's account may write here: the same as at any other door."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import models

from syncer.models import Route
from syncer.targets.peer.inbound.merging import MergedItem
from syncer.targets.peer.message import Result
from syncer.targets.peer.rows import Faults, value_of


def refuse(route: Route, found: Sequence[MergedItem], *, user: Any) -> None:
    """Give `faults` to what `user` may not write."""
    links = _links(route, [one.row for one in found], user)
    for one in found:
        if one.instead or (one.is_known and one.row is one.stored):
            continue
        # Who may not write it may not overrule what is known of it either, or leave a person to choose it.
        if wrong := forbidden(route, one.row, one.stored, user=user):
            one.faults = wrong
            one.instead = None if one.is_known else Result.REFUSED  # nothing of what is known can be refused any more
        elif not one.faults and not one.is_known and (missing := _missing(one.row, one.stored, links)):
            one.faults, one.instead = missing, Result.LATER


def faults(route: Route, row: models.Model | None, stored: models.Model | None, *, user: Any) -> Faults:
    """Why `user` may not make `stored` (None: it is not there) into `row` (None: it is to go)."""
    return forbidden(route, row, stored, user=user) or _missing(row, stored, _links(route, [row], user))


def permission_for(route: Route, row: models.Model | None, stored: models.Model | None) -> str:
    """What whoever makes `stored` into `row` needs to have: `orders.change_order`."""
    options = route.declaration.model._meta
    verb = "delete" if row is None else "add" if stored is None else "change"
    return f"{options.app_label}.{verb}_{options.model_name}"


def forbidden(route: Route, row: models.Model | None, stored: models.Model | None, *, user: Any) -> Faults:
    """As `faults`, without a look at what the row points to."""
    permission = permission_for(route, row, stored)
    if not user.has_perm(permission):
        return {"": [f"{user} needs the permission {permission}."]}
    if stored is not None and not stored.is_visible_to(user):  # type: ignore[attr-defined]
        return {"": [f"{user} may not see it."]}
    return {} if row is None else {name: [text] for name, text in _refusals(row, stored, user)}


def _links(route: Route, rows: Sequence[models.Model | None], user: Any) -> Mapping[str, set[Any]]:
    """What the columns of these rows may point to; one query for each column."""
    there = [row for row in rows if row is not None]
    columns = [column for column in route.declaration.model._meta.concrete_fields if column.name in route.shared]
    return {column.name: _visible(column, there, user) for column in columns if column.is_relation}


def _visible(column: Any, rows: Sequence[models.Model], user: Any) -> set[Any]:
    wanted = {getattr(row, column.attname) for row in rows} - {None}
    parents = column.related_model._default_manager.visible_to(user).filter(pk__in=wanted)
    return set(parents.values_list("pk", flat=True))


def _refusals(row: Any, stored: models.Model | None, user: Any) -> Iterator[tuple[str, str]]:
    before = stored or type(row)()
    values = {column.attname: getattr(before, column.attname) for column in row._meta.concrete_fields}
    for name, permission in row.restrictions(values):
        if not user.has_perm(permission):
            yield name, f"{user} needs the permission {permission} to set it so."


def _missing(row: models.Model | None, stored: models.Model | None, links: Mapping[str, set[Any]]) -> Faults:
    """What it is to point to from now on and is not here; it may still come."""
    if row is None:
        return {}
    old = {name: value_of(stored, name) if stored else None for name in links}
    new = {name: value_of(row, name) for name in links}
    gone = {name: key for name, key in new.items() if key not in (None, old[name], *links[name])}
    return {name: [f"{key} is not there."] for name, key in gone.items()}
