"""Writing what a batch makes of our objects: all at once, and where that fails, each half by itself.

The rows are locked. What the database's constraints refuse is found out by writing; an item's own messages are asked
for only when it is the one that fails.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, connection, models, transaction
from django.db.models.deletion import ProtectedError, RestrictedError

from backoffice.kit import context
from syncer.models import Route
from syncer.targets.peer.inbound.merging import MergedItem, changed_fields
from syncer.targets.peer.message import Result
from syncer.targets.peer.rows import Faults, faults_of, texts_of

REFUSED = (IntegrityError, DataError, ProtectedError, RestrictedError, ValidationError)


def write(route: Route, found: Sequence[MergedItem], *, origin: str) -> None:
    """Write the objects; those that can't be written get `faults`, and nothing of them is kept."""
    _write(route, [one for one in found if not (one.faults or one.instead) and one.row is not one.stored], origin)


def _write(route: Route, todo: Sequence[MergedItem], origin: str) -> None:
    """One bad item among 500 is found in 18 tries, not in 500."""
    try:
        _write_all(route, todo, origin)
    except REFUSED as error:
        middle = len(todo) // 2
        if middle:
            _write(route, todo[:middle], origin)
            _write(route, todo[middle:], origin)
        else:
            _blame(route, todo[0], error)


def _blame(route: Route, one: MergedItem, error: Exception) -> None:
    if one.row is not None and one.stored is None:
        one.is_overtaken = route.declaration.model._default_manager.filter(pk=one.row.pk).exists()
    one.instead = Result.LATER if one.is_overtaken else None
    one.faults = _why(one, error)


def _why(one: MergedItem, error: Exception) -> Faults:
    """In the words of the model's own rules, where they know it too."""
    if one.row is not None:
        one.row._state.adding = one.stored is None
        if faults := faults_of(one.row, whole=True):
            return faults
    if isinstance(error, ValidationError):
        return texts_of(error)
    if isinstance(error, ProtectedError):
        return {"": [f"It can't be deleted here: {len(error.protected_objects)} objects need it."]}
    return {"": [f"The database refused it: {str(error).splitlines()[0]}"]}


def _write_all(route: Route, todo: Sequence[MergedItem], origin: str) -> None:
    """A few statements, with each editor's name and reason in the history; nothing stays where one fails."""
    with transaction.atomic(), _caused(route, todo, origin):
        objects: Any = route.declaration.model._default_manager
        new = [one.row for one in todo if one.row is not None and one.stored is None]
        old = [one for one in todo if one.row is not None and one.stored is not None]
        gone = [one.stored.pk for one in todo if one.row is None and one.stored is not None]
        if new:
            objects.bulk_create(new)
        if old:
            fields = set[str]().union(*(changed_fields(route, one) for one in old))
            objects.bulk_update([one.row for one in old], sorted(fields | _set_by_program(route.declaration.model)))
        if gone:
            objects.filter(pk__in=gone).delete()
        if todo and connection.vendor == "postgresql":
            connection.check_constraints()  # it would look at foreign keys on commit, too late to tell whose they are


def _caused(route: Route, todo: Sequence[MergedItem], origin: str) -> AbstractContextManager[None]:
    rows = {
        row.pk: {name: said for name, said in (("origin_user", one.by.user), ("reason", one.by.reason)) if said}
        for one in todo
        if (row := one.stored if one.row is None else one.row) is not None
    }
    cause = replace(context.cause(), origin=origin, reason="", rows={route.declaration.model: rows})
    return context.caused_by(cause)


def _set_by_program(model: type[models.Model]) -> set[str]:
    return {column.name for column in model._meta.concrete_fields if getattr(column, "auto_now", False)}
