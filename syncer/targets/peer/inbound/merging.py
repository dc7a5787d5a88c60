"""What one item makes of an object: joined, looked at with the rules, and made into a row that can be written."""

from dataclasses import dataclass, replace
from functools import cached_property

from django.db import models
from django.utils import timezone

from syncer.core.merge import (
    ASK,
    EXISTS,
    By,
    Edit,
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
    """One item, and what it makes of its object.

    Attributes:
        key: as this database writes it.
        row: the object as it is to be; None: it is not to be there.
        stored: the object as it is; None: it is not there.
        state: of both, joined.
        is_news: there was nothing here that the item did not know; else both sides edited.
        asks: the fields that wait for a person.
        is_known: all of the item was here already.
        faults: why it can't be written.
        instead: the result of what was not even tried, whatever was edited here.
        is_overtaken: it was made here between the reading and the writing, so it has to be judged again.
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
        """Who made the newest of the edits that are news."""
        edits = newest(self.item.state, self.replica.seen)
        return max((one.by for one in edits), key=lambda by: by.at, default=By())

    @property
    def is_kept(self) -> bool:
        """It is joined, whether or not its object could be written."""
        return self.result not in (Result.REFUSED, Result.LATER)

    @property
    def result(self) -> Result:
        if self.instead:
            return self.instead
        if self.faults:
            # Alone it is not valid here; else it is what several edits make together, here or there.
            is_alone = self.is_news and not self.is_known and not self.item.is_open
            return Result.REFUSED if is_alone else Result.CONFLICT
        if self.is_known:
            return Result.ALREADY
        if self.asks:
            return Result.CONFLICT
        return Result.APPLIED if self.is_news else Result.MERGED


def judge(
    target: Target, route: Route, item: Item, key: str, replica: Replica, stored: models.Model | None
) -> MergedItem:
    """What `item` makes of the object, whose replica is locked and stamped."""
    mine = replica.state
    state = join(mine, _as_known(mine, item.state))
    live = content_of(route, stored)
    found = outcome(state, _rules(target, route, replica, item), live=live)
    row, faults = row_of(route, key, stored, live, found.content)
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
        asks=found.conflicts,
        faults={name: [EMPTIED] for name in emptied} or faults,
        instead=Result.REFUSED if emptied else None,
    )


def _as_known(mine: State, theirs: State) -> State:
    """`theirs`, where an edit that both have is as it was heard first.

    A number is given once, but for a node that was restored and did not notice, and for what was erased here. Were the
    two taken for different edits, each would count as overruled by the other, and nothing would be left of the field.
    """
    known = {(name, one.writer, one.number): one for name in theirs.fields for one in mine.fields.get(name, ())}

    def first(name: str, one: Edit) -> Edit:
        return known.get((name, one.writer, one.number), one)

    return replace(
        theirs, fields={name: tuple(first(name, one) for one in edits) for name, edits in theirs.fields.items()}
    )


def _rules(target: Target, route: Route, replica: Replica, item: Item) -> Rules:
    """Where a person decides at the first matching, what waits at one end waits at both: whoever hears of the other
    second is no stranger any more."""
    rules = rules_of(route, replica)
    if target.matching != Target.Matching.ASK:
        return rules
    every = {*route.shared, EXISTS}
    asks = every if are_strangers(replica.seen, item.state.seen) else every & item.asks
    return Rules(authority=rules.authority, ask=rules.ask | asks)


def settle_replica(route: Route, one: MergedItem) -> bool:
    """Hold what was joined; whether that is anything new.

    Where the row could not be written, the object is as it was, and a person decides.
    """
    replica, faults = one.replica, one.faults
    before = (replica.seen, replica.fields, replica.shadow, replica.conflicts)
    row = one.stored if faults else one.row
    replica.take(one.state, content_of(route, row))
    waiting = dict.fromkeys(one.asks, ASK) | {name: " ".join(texts) for name, texts in faults.items()}
    replica.conflicts = waiting or None
    replica.conflict_at = (replica.conflict_at or timezone.now()) if waiting else None
    return before != (replica.seen, replica.fields, replica.shadow, replica.conflicts)


def changed_fields(route: Route, one: MergedItem) -> set[str]:
    """The fields that the item changes in a row that stays."""
    if one.stored is None or one.row is None:
        return set()
    return {name for name in route.shared if value_of(one.stored, name) != value_of(one.row, name)}
