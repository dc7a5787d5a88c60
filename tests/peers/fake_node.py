"""The other node of a pair, in memory: what it holds of each object, and what a batch makes of that."""

import itertools
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from syncer.core.merge import (
    By,
    Content,
    Rules,
    State,
    VersionVector,
    covers,
    edits_as_json,
    edits_from_json,
    join,
    node_of,
    outcome,
    overrule,
    stamp,
    together,
)

ItemResult = dict[str, Any]  # the answer to one item, as JSON


@dataclass
class Held:
    """One object: what travels of it, what it is (None: it is not there), and what the other end has seen."""

    state: State = field(default_factory=State)
    live: Content | None = None
    known: VersionVector = field(default_factory=dict)


class FakeNode:
    """Edits and joins as a real node does, by the same pure rules; it validates nothing.

    Attributes:
        name, writer: who it is, and in which incarnation.
        held: its objects, by key as in JSON.
        writers: all its incarnations.
        refuses: `{key: {"field": ["why"]}}`, what it does not take; `later`: keys that it puts off.
        leaves_out: keys of which its answers say nothing, though it took them.
        knows: the newest incarnation that it heard of the other end.
    """

    def __init__(self, name: str = "warehouse", *, rules: Rules | None = None) -> None:
        self.name, self.rules = name, rules or Rules()
        self.held: dict[str, Held] = {}
        self.writers: list[str] = []
        self.refuses: dict[str, Mapping[str, list[str]]] = {}
        self.later: set[str] = set()
        self.leaves_out: set[str] = set()
        self.knows = ""
        self._numbers = itertools.count(1)
        self.reborn()

    @property
    def writer(self) -> str:
        return self.writers[-1]

    def reborn(self) -> str:
        """Take a new incarnation, later than all before; its edits are numbered anew."""
        self.writers.append(f"{self.name}:{0x018F00000000 + next(self._numbers):012x}{'0' * 8}")
        for one in self.held.values():
            one.known = {}
        return self.writer

    # --- edits -------------------------------------------------------------------------------------------------------
    def create(self, content: Content, *, key: str = "", by: By | None = None) -> str:
        """A new object, `{"field": JSON value}`; its key."""
        key = key or str(uuid4())
        self._stamp(key, content, by)
        return key

    def edit(self, key: str, *, by: By | None = None, **values: Any) -> None:
        """Change fields of an object that is there."""
        self._stamp(key, {**(self.held[key].live or {}), **values}, by)

    def decide(self, key: str, **values: Any) -> None:
        """Edit fields even to what they are already: an edit that covers all others of them."""
        one = self.held[key]
        one.state = overrule(one.state, values, me=self.writer)
        one.live = {**(one.live or {}), **values}

    def delete(self, key: str, *, by: By | None = None) -> None:
        self._stamp(key, None, by)

    def _stamp(self, key: str, live: Content | None, by: By | None) -> None:
        one = self.held.setdefault(key, Held())
        names = {*(live or {}), "exists"}
        one.state = stamp(one.state, one.live, live, me=self.writer, by=dict.fromkeys(names, by) if by else None)
        one.live = live

    # --- backups -----------------------------------------------------------------------------------------------------
    def backup(self) -> str:
        """What it holds now, for `restore`."""
        rows = {
            key: [dict(one.state.seen), edits_as_json(one.state.fields), one.live, dict(one.known)]
            for key, one in self.held.items()
        }
        return json.dumps(rows)

    def restore(self, backup: str, *, alerts: bool = True) -> None:
        """Be what it was then; who does not notice keeps an incarnation whose numbers are known already."""
        self.held = {
            key: Held(State(seen=seen, fields=edits_from_json(fields)), live, known)
            for key, (seen, fields, live, known) in json.loads(backup).items()
        }
        if alerts:
            self.reborn()

    def heard(self, writer: str) -> None:
        """The other end signs as `writer`: a newer one than before may have lost what it had seen."""
        if writer > self.knows:
            self.knows = writer
            for one in self.held.values():
                one.known = {}

    # --- what the other end sees -------------------------------------------------------------------------------------
    def take_in(self, items: Collection[Mapping[str, Any]]) -> list[ItemResult]:
        """What becomes of each item of a batch."""
        told = [self._take_one(item) for item in items]
        return [one for one in told if one["key"] not in self.leaves_out]

    def _take_one(self, item: Mapping[str, Any]) -> ItemResult:
        key = item["key"]
        theirs = State(seen=item["seen"], fields=edits_from_json(item["fields"]))
        if key in self.refuses:
            return {"key": key, "result": "refused", "fields": self.refuses[key]}
        if key in self.later:
            return {"key": key, "result": "later", "fields": {"": ["Somebody is writing it just now."]}}
        mine = self.held.setdefault(key, Held())
        if self._is_behind(mine, theirs):
            self.reborn()
        before, mine.state = mine.state, join(mine.state, theirs)
        found = outcome(mine.state, self.rules, live=mine.live)
        mine.live, mine.known = found.content, together(mine.known, theirs.seen)
        return {"key": key, "result": _result(before, theirs, bool(found.conflicts)), "seen": dict(theirs.seen)}

    def _is_behind(self, mine: Held, theirs: State) -> bool:
        """They have seen more of us than we have: we were restored and did not notice."""
        return any(
            number > mine.state.seen.get(writer, 0)
            for writer, number in theirs.seen.items()
            if writer == self.writer or (node_of(writer) == self.name and writer not in self.writers)
        )

    def news(self, model: str, *, keys: Collection[str] | None = None, most: int = 500) -> dict[str, Any]:
        """Its next batch: what the other end is not known to have seen; or of `keys` all."""
        wanted = [key for key, one in sorted(self.held.items()) if not covers(one.known, one.state.seen)]
        chosen = [*keys] if keys is not None else wanted
        return self.batch(model, [self.item(key) for key in chosen[:most]])

    def batch(self, model: str = "", items: Collection[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """A batch as JSON; without a model it only says who is speaking."""
        said = {"node": self.name, "writer": self.writer}
        return said | ({"model": model, "items": [*items]} if model else {})

    def item(self, key: str) -> dict[str, Any]:
        one = self.held[key]
        return {"key": key, "seen": dict(one.state.seen), "fields": edits_as_json(one.state.fields)}

    def heed(self, answer: Mapping[str, Any]) -> None:
        """Note what the answer to a batch of its own says that the other end has seen."""
        for told in answer["items"]:
            if told.get("seen") is not None:
                one = self.held[told["key"]]
                one.known = together(one.known, told["seen"])

    # --- for asserts -------------------------------------------------------------------------------------------------
    def content(self, key: Any) -> Content | None:
        """What the object is; None: it is not there."""
        one = self.held.get(str(key))
        return one.live if one else None

    @property
    def contents(self) -> dict[str, Content]:
        """All objects that are there."""
        return {key: one.live for key, one in self.held.items() if one.live is not None}


def _result(mine: State, theirs: State, is_conflict: bool) -> str:
    if mine.knows(theirs.seen):
        return "already there"
    if is_conflict:
        return "conflict"
    return "applied" if theirs.knows(mine.seen) else "merged"


Twist = Callable[[dict[str, Any]], Any]  # of an answer as it would be
