"""The permissions of a peer's account here: the same rules as at any other entry point."""

from collections.abc import Sequence

from django.db import models

from backoffice.kit.permissions import Person, Write, as_error, batch_refusals
from syncer.models import Route
from syncer.targets.peer.inbound.merging import MergedItem
from syncer.targets.peer.message import Result
from syncer.targets.peer.rows import Account, texts_of


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


def write_of(route: Route, row: models.Model | None, stored: models.Model | None) -> Write:
    """Return the write that makes `stored` (None: the object does not exist) into `row` (None: it is to be deleted)."""
    if row is None:
        return Write("delete", stored or route.declaration.model(pk=None))
    if stored is None:
        return Write("add", row)
    return Write(
        "change", row, {column.attname: getattr(stored, column.attname) for column in row._meta.concrete_fields}
    )
