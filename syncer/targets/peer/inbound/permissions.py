"""What the peer's account may write here: the same as at any other entry point."""

from collections.abc import Sequence
from typing import Any

from django.db import models

from backoffice.kit.permissions import Person, Write, as_error, batch_refusals
from syncer.models import Route
from syncer.targets.peer.inbound.merging import MergedItem
from syncer.targets.peer.message import Result
from syncer.targets.peer.rows import texts_of


def refuse(route: Route, found: Sequence[MergedItem], *, user: Any) -> None:
    """Give `faults` to what `user` may not write."""
    asked = [one for one in found if not (one.instead or (one.is_known and one.row is one.stored))]
    writes = [write_of(route, one.row, one.stored) for one in asked]
    # The refusals are read at the other node, so they name the account.
    for one, refusals in zip(asked, batch_refusals(writes, Person(user, name=str(user))), strict=True):
        # Who may not write it may not overrule what is known of it either, or leave a person to choose it.
        if forbidden := [refusal for refusal in refusals if not refusal.is_link]:
            one.faults = texts_of(as_error(forbidden))
            one.instead = None if one.is_known else Result.REFUSED  # nothing of what is known can be refused any more
        elif refusals and not one.faults and not one.is_known:
            one.faults, one.instead = texts_of(as_error(refusals)), Result.LATER  # what it points to may still come


def write_of(route: Route, row: models.Model | None, stored: models.Model | None) -> Write:
    """Making `stored` (None: it does not exist) into `row` (None: it is to go)."""
    if row is None:
        return Write("delete", stored or route.declaration.model(pk=None))
    if stored is None:
        return Write("add", row)
    return Write(
        "change", row, {column.attname: getattr(stored, column.attname) for column in row._meta.concrete_fields}
    )
