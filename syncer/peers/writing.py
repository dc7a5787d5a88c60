"""Writing what a batch makes of our objects: all at once, and only if that fails one by one.

The rows are locked. What the database's constraints refuse is found out by writing; each item's own messages are asked
for only then.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import groupby
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models.deletion import ProtectedError, RestrictedError

from backoffice.kit import context
from syncer.models import Route
from syncer.peers.judging import Judged, changed_fields, faults_of

REFUSED = (IntegrityError, ProtectedError, RestrictedError)
REASON = 100  # characters that a history row has for it


def write(route: Route, found: Sequence[Judged], *, origin: str) -> None:
    """Write the objects; those that can't be written get `faults`, and nothing of them is kept."""
    todo = [one for one in found if not (one.faults or one.instead) and one.row is not one.stored]
    try:
        _write_all(route, todo, origin)
    except REFUSED:
        for one in todo:
            _write_one(route, one, origin)


def _write_one(route: Route, one: Judged, origin: str) -> None:
    if one.row is not None:
        one.faults = faults_of(one.row, whole=True)
    if one.faults:
        return
    try:
        _write_all(route, [one], origin)
    except ProtectedError as error:
        one.faults = {"": [f"It can't be deleted here: {len(error.protected_objects)} objects need it."]}
    except (IntegrityError, RestrictedError) as error:
        one.faults = {"": [f"The database refused it: {str(error).splitlines()[0]}"]}


def _write_all(route: Route, todo: Sequence[Judged], origin: str) -> None:
    """A few statements for each editor, with their name and reason in the history; nothing stays where one fails."""
    with transaction.atomic():
        for user, group in _by_editor(todo):
            with _by(origin=origin, user=user):
                _write_group(route, group)


def _by(*, origin: str, user: str) -> AbstractContextManager[None]:
    return context.caused_by(replace(context.cause(), origin=origin, origin_user=user, reason=""))


def _by_editor(todo: Iterable[Judged]) -> Iterator[tuple[str, list[Judged]]]:
    ordered = sorted(todo, key=lambda one: (one.by.user, one.key))
    for user, group in groupby(ordered, key=lambda one: one.by.user):
        yield user, list(group)


def _write_group(route: Route, group: list[Judged]) -> None:
    objects: Any = route.declaration.model._default_manager
    rows = [(one, one.row) for one in group if one.row is not None]
    for one, row in rows:
        row._change_reason = one.by.reason[:REASON]  # type: ignore[attr-defined]
    if new := [row for one, row in rows if one.stored is None]:
        objects.bulk_create(new)
    if old := [row for one, row in rows if one.stored is not None]:
        fields = set[str]().union(*(changed_fields(route, one) for one in group))
        objects.bulk_update(old, sorted(fields | _set_by_program(route.declaration.model)))
    gone = sorted((one for one in group if one.row is None), key=lambda one: one.by.reason)
    for reason, some in groupby(gone, key=lambda one: one.by.reason):
        with context.caused_by(replace(context.cause(), reason=reason[:REASON])):
            objects.filter(pk__in=[one.stored.pk for one in some if one.stored]).delete()


def _set_by_program(model: type[models.Model]) -> set[str]:
    return {column.name for column in model._meta.concrete_fields if getattr(column, "auto_now", False)}
