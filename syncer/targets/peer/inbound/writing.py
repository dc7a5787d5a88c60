"""Writing the merged objects of a batch, as far as the peer's account may: all at once, and if that fails, in halves.

An account's permissions are the same as at any other entry point. The rows are locked. Writing shows which constraints
of the database fail; an item's own rules are checked only for messages, once it is the one that fails.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models.deletion import ProtectedError

from backoffice.kit import context
from backoffice.kit.bulk import update_rows
from backoffice.kit.permissions import Person, as_error, batch_refusals
from syncer.models import Route
from syncer.targets.peer.inbound.merging import MergedItem, changed_fields
from syncer.targets.peer.message import Result
from syncer.targets.peer.rows import REFUSED, Account, Faults, faults_of, texts_of, write_of


def refuse(route: Route, merged: Sequence[MergedItem], *, user: Account | None) -> None:
    """Set `faults` on the items that `user` may not write, and `instead` where that decides their result."""
    checked = [item for item in merged if not (item.instead or (item.is_known and item.row is item.stored))]
    writes = [write_of(route, item.row, item.stored) for item in checked]
    # The refusals are read at the other node, so they name the account.
    for item, refusals in zip(checked, batch_refusals(writes, Person(user, name=str(user))), strict=True):
        # An account that may not write the object may not overrule known edits or leave a conflict to a person either.
        if forbidden := [refusal for refusal in refusals if not refusal.is_link]:
            item.faults = texts_of(as_error(forbidden))
            item.instead = None if item.is_known else Result.REFUSED  # an item that is known was kept already
        elif refusals and not item.faults and not item.is_known:
            item.faults, item.instead = texts_of(as_error(refusals)), Result.LATER  # the linked object may still arrive


def write(route: Route, merged: Sequence[MergedItem], *, origin: str) -> None:
    """Write the objects; set `faults` on those that can't be written, of which nothing is kept.

    Args:
        origin: the peer's node, for the history.
    """
    todo = [item for item in merged if not (item.faults or item.instead) and item.row is not item.stored]
    _write_or_split(route, todo, origin)


def _write_or_split(route: Route, todo: Sequence[MergedItem], origin: str) -> None:
    """Write the items; one invalid item among 500 is found in 18 tries, not in 500."""
    try:
        _write_all(route, todo, origin)
    except REFUSED as error:
        middle = len(todo) // 2
        if middle:
            _write_or_split(route, todo[:middle], origin)
            _write_or_split(route, todo[middle:], origin)
            return
        item = todo[0]
        if item.row is not None and item.stored is None:
            item.is_overtaken = route.declaration.model._default_manager.filter(pk=item.row.pk).exists()
        item.instead = Result.LATER if item.is_overtaken else None
        item.faults = _faults(item, error)


def _faults(item: MergedItem, error: Exception) -> Faults:
    """Return why the item can't be written: the messages of the model's own rules, where these fail too."""
    if item.row is not None:
        item.row._state.adding = item.stored is None
        if faults := faults_of(item.row, whole=True):
            return faults
    if isinstance(error, ValidationError):
        return texts_of(error)
    if isinstance(error, ProtectedError):
        return {"": [f"It can't be deleted here: {len(error.protected_objects)} objects need it."]}
    return {"": [f"The database refused it: {str(error).splitlines()[0]}"]}


def _write_all(route: Route, todo: Sequence[MergedItem], origin: str) -> None:
    """Write all items in a few statements, or none; the history gets each editor's name and reason."""
    model = route.declaration.model
    causes: dict[Any, dict[str, str]] = {}  # by primary key
    for item in todo:
        row = item.stored if item.row is None else item.row
        if row is not None:
            who_and_why = (("origin_user", item.by.user), ("reason", item.by.reason))
            causes[row.pk] = {name: text for name, text in who_and_why if text}
    cause = replace(context.cause(), origin=origin, reason="", rows={model: causes})
    with transaction.atomic(), context.caused_by(cause):
        objects: Any = model._default_manager
        added = [item.row for item in todo if item.row is not None and item.stored is None]
        updated = [item for item in todo if item.row is not None and item.stored is not None]
        deleted = [item.stored.pk for item in todo if item.row is None and item.stored is not None]
        if added:
            objects.bulk_create(added)
        if updated:
            automatic = {column.name for column in model._meta.concrete_fields if getattr(column, "auto_now", False)}
            fields = automatic.union(*(changed_fields(route, item) for item in updated))
            pk: Any = model._meta.pk
            columns: list[Any] = [pk, *(model._meta.get_field(name) for name in sorted(fields))]
            rows = ({column.column: getattr(item.row, column.attname) for column in columns} for item in updated)
            update_rows(model, rows, match=[pk.column])
        if deleted:
            objects.filter(pk__in=deleted).delete()
        if todo and connection.vendor == "postgresql":
            connection.check_constraints()  # at commit, foreign keys could not be attributed to an item any more
