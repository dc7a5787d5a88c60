"""Merging one item with its object: join their states, apply the rules, and make a row that can be written."""

from dataclasses import dataclass, replace
from functools import cached_property

from django.db import models
from django.utils import timezone

from syncer.core.merge import (
    ASK,
    EXISTS,
    By,
    Edits,
    Rules,
    State,
    are_strangers,
    covers,
    join,
    newest,
    outcome,
)
from syncer.models import Replica, Route, Target
from syncer.targets.peer.message import Item, Result
from syncer.targets.peer.replicas import rules_of
from syncer.targets.peer.rows import Faults, content_of, row_of, value_of

EMPTIED = "It says that what is known here was overruled, but not by what."


@dataclass(kw_only=True)
class MergedItem:
    """One item merged with its object.

    Attributes:
        key: the object's key as this database writes it.
        row: the merged object, not saved; None if it is to be deleted.
        stored: the object as it is stored; None if it does not exist.
        state: the joined state of the replica and the item.
        is_news: whether the item knew every edit here; otherwise both sides edited.
        is_known: whether everything in the item was known here already.
        asks: the fields that wait for a person.
        faults: why the row can't be written, by field.
        instead: the result of an item that was not tried, in place of the one that follows from the other attributes.
        is_overtaken: whether the object was created here between reading and writing; the item is then merged again.
    """

    item: Item
    key: str
    replica: Replica
    row: models.Model | None
    stored: models.Model | None
    state: State
    is_news: bool
    is_known: bool
    asks: frozenset[str]
    faults: Faults
    instead: Result | None = None
    is_overtaken: bool = False

    @cached_property
    def by(self) -> By:
        """The author of the newest edit that was not known here."""
        edits = newest(self.item.state, self.replica.seen)
        return max((edit.by for edit in edits), key=lambda by: by.at, default=By())

    @property
    def is_kept(self) -> bool:
        """Whether the joined state is stored, even if the object could not be written."""
        return self.result not in (Result.REFUSED, Result.LATER)

    @property
    def result(self) -> Result:
        if self.instead:
            return self.instead
        if self.faults:
            # Refused only if the item itself is invalid here; otherwise several edits are invalid together.
            is_alone = self.is_news and not self.is_known and not self.item.is_open
            return Result.REFUSED if is_alone else Result.CONFLICT
        if self.is_known:
            return Result.ALREADY
        if self.asks:
            return Result.CONFLICT
        return Result.APPLIED if self.is_news else Result.MERGED


def merge_item(
    target: Target, route: Route, item: Item, key: str, replica: Replica, stored: models.Model | None
) -> MergedItem:
    """Merge an item with its object, whose replica is locked and stamped. Nothing is written.

    Args:
        key: the object's key as this database writes it.
        stored: the object; None if it does not exist.
    """
    mine = replica.state
    state = join(mine, _with_known_edits(mine, item.state))
    live = content_of(route, stored)
    merged = outcome(state, _rules(target, route, replica, item), live=live)
    row, faults = row_of(route, key, stored, live, merged.content)
    emptied = {*mine.fields, *item.state.fields} - {*state.fields}
    return MergedItem(
        item=item,
        key=key,
        replica=replica,
        row=row,
        stored=stored,
        state=state,
        is_news=covers(item.state.seen, mine.seen),
        is_known=covers(mine.seen, item.state.seen),
        asks=merged.conflicts,
        faults={name: [EMPTIED] for name in emptied} or faults,
        instead=Result.REFUSED if emptied else None,
    )


def _with_known_edits(mine: State, theirs: State) -> State:
    """Return `theirs` with our copy of each edit that both states have.

    Two edits share a number only if a node was restored and did not detect that, or if the edit was erased here. Taken
    for different edits, each would count as overruled by the other, and nothing would be left of the field.
    """
    known = {(name, edit.writer, edit.number): edit for name in theirs.fields for edit in mine.fields.get(name, ())}
    fields: dict[str, Edits] = {}
    for name, edits in theirs.fields.items():
        fields[name] = tuple(known.get((name, edit.writer, edit.number), edit) for edit in edits)
    return replace(theirs, fields=fields)


def _rules(target: Target, route: Route, replica: Replica, item: Item) -> Rules:
    """Return the rules of an object; where a person decides at the first matching, add the fields that wait for one.

    A field that waits at one end waits at both: the end that merges second has edits in common with the other already,
    so it relies on the item's `asks`.
    """
    rules = rules_of(route, replica)
    if target.matching != Target.Matching.ASK:
        return rules
    every = {*route.shared, EXISTS}
    asks = every if are_strangers(replica.seen, item.state.seen) else every & item.asks
    return Rules(authority=rules.authority, ask=rules.ask | asks)


def settle_replica(route: Route, item: MergedItem) -> bool:
    """Give the replica the joined state, and a conflict if the row could not be written; the replica is not stored.

    Returns:
        Whether the replica changed.
    """
    replica, faults = item.replica, item.faults
    before = (replica.seen, replica.fields, replica.shadow, replica.conflicts)
    row = item.stored if faults else item.row
    replica.take(item.state, content_of(route, row))
    waiting = dict.fromkeys(item.asks, ASK) | {name: " ".join(texts) for name, texts in faults.items()}
    replica.conflicts = waiting or None
    replica.conflict_at = (replica.conflict_at or timezone.now()) if waiting else None
    return before != (replica.seen, replica.fields, replica.shadow, replica.conflicts)


def changed_fields(route: Route, item: MergedItem) -> set[str]:
    """Return the fields that the item changes in a row that exists and stays; empty for other rows."""
    if item.stored is None or item.row is None:
        return set()
    return {name for name in route.shared if value_of(item.stored, name) != value_of(item.row, name)}
