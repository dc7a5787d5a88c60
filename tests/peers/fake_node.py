"""The other node of a pair, in memory: its objects, and how it merges a batch with them."""

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
    """One object.

    Attributes:
        state: its merged edits.
        live: its content; None if it does not exist.
        known: the version vector that the other end is known to have.
    """

    state: State = field(default_factory=State)
    live: Content | None = None
    known: VersionVector = field(default_factory=dict)


class FakeNode:
    """A node that stamps and merges as a real one does, by the same pure rules, and validates nothing.

    Attributes:
        name: its node name.
        writer: its current incarnation.
        held: its objects, by key as in JSON.
        writers: all its incarnations.
        refuses: `{key: {"field": ["why"]}}`, the items that it refuses.
        later: the keys of items that it postpones.
        leaves_out: the keys of items that it applies, but leaves out of its answers.
        knows: the newest incarnation of the other end that it knows.
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
        """Take a new incarnation, later than all before, and return its writer; its edits are numbered from 1 again."""
        self.writers.append(f"{self.name}:{0x018F00000000 + next(self._numbers):012x}{'0' * 8}")
        for held in self.held.values():
            held.known = {}
        return self.writer

    # --- edits -------------------------------------------------------------------------------------------------------
    def create(self, content: Content, *, key: str = "", by: By | None = None) -> str:
        """Create an object with the content `{"field": JSON value}`, and return its key."""
        key = key or str(uuid4())
        self._stamp(key, content, by)
        return key

    def edit(self, key: str, *, by: By | None = None, **values: Any) -> None:
        """Change fields of an object that exists."""
        self._stamp(key, {**(self.held[key].live or {}), **values}, by)

    def decide(self, key: str, **values: Any) -> None:
        """Edit fields, even to their present values: the edit overrules all others of these fields."""
        held = self.held[key]
        held.state = overrule(held.state, values, me=self.writer)
        held.live = {**(held.live or {}), **values}

    def delete(self, key: str, *, by: By | None = None) -> None:
        self._stamp(key, None, by)

    def _stamp(self, key: str, live: Content | None, by: By | None) -> None:
        held = self.held.setdefault(key, Held())
        names = {*(live or {}), "exists"}
        held.state = stamp(held.state, held.live, live, me=self.writer, by=dict.fromkeys(names, by) if by else None)
        held.live = live

    # --- backups -----------------------------------------------------------------------------------------------------
    def backup(self) -> str:
        """Return its objects as they are now, for `restore`."""
        rows = {
            key: [dict(held.state.seen), edits_as_json(held.state.fields), held.live, dict(held.known)]
            for key, held in self.held.items()
        }
        return json.dumps(rows)

    def restore(self, backup: str, *, alerts: bool = True) -> None:
        """Put back the objects of a backup.

        Args:
            alerts: whether it detects the restore, and takes a new incarnation. Otherwise it gives out numbers again
                that the other end knows already.
        """
        self.held = {
            key: Held(State(seen=seen, fields=edits_from_json(fields)), live, known)
            for key, (seen, fields, live, known) in json.loads(backup).items()
        }
        if alerts:
            self.reborn()

    def record_contact(self, writer: str) -> None:
        """Record the other end's incarnation; a newer one than before may have lost what it had seen."""
        if writer > self.knows:
            self.knows = writer
            for held in self.held.values():
                held.known = {}

    # --- what the other end sees -------------------------------------------------------------------------------------
    def take_in(self, items: Collection[Mapping[str, Any]]) -> list[ItemResult]:
        """Apply the items of a batch, and return their results."""
        results = [self._merge_item(item) for item in items]
        return [result for result in results if result["key"] not in self.leaves_out]

    def _merge_item(self, item: Mapping[str, Any]) -> ItemResult:
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
        merged = outcome(mine.state, self.rules, live=mine.live)
        mine.live, mine.known = merged.content, together(mine.known, theirs.seen)
        return {"key": key, "result": _result(before, theirs, bool(merged.conflicts)), "seen": dict(theirs.seen)}

    def _is_behind(self, mine: Held, theirs: State) -> bool:
        """Return whether the other end knows edits of this node that it lacks: an undetected restore."""
        return any(
            number > mine.state.seen.get(writer, 0)
            for writer, number in theirs.seen.items()
            if writer == self.writer or (node_of(writer) == self.name and writer not in self.writers)
        )

    def news(self, model: str, *, keys: Collection[str] | None = None, most: int = 500) -> dict[str, Any]:
        """Return its next batch: the objects that the other end is not known to have seen, or all of `keys`."""
        wanted = [key for key, held in sorted(self.held.items()) if not covers(held.known, held.state.seen)]
        chosen = [*keys] if keys is not None else wanted
        return self.batch(model, [self.item(key) for key in chosen[:most]])

    def batch(self, model: str = "", items: Collection[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """Return a batch as JSON; without a model it is a handshake."""
        sender = {"node": self.name, "writer": self.writer}
        return sender | ({"model": model, "items": [*items]} if model else {})

    def item(self, key: str) -> dict[str, Any]:
        held = self.held[key]
        return {"key": key, "seen": dict(held.state.seen), "fields": edits_as_json(held.state.fields)}

    def note_answer(self, answer: Mapping[str, Any]) -> None:
        """Note the version vectors that the other end has, according to its answer to a batch."""
        for result in answer["items"]:
            if result.get("seen") is not None:
                held = self.held[result["key"]]
                held.known = together(held.known, result["seen"])

    # --- for asserts -------------------------------------------------------------------------------------------------
    def content(self, key: object) -> Content | None:
        """Return an object's content; None if it does not exist."""
        held = self.held.get(str(key))
        return held.live if held else None

    @property
    def contents(self) -> dict[str, Content]:
        """The contents of all objects that exist, by key."""
        return {key: held.live for key, held in self.held.items() if held.live is not None}


def _result(mine: State, theirs: State, is_conflict: bool) -> str:
    if mine.knows(theirs.seen):
        return "already there"
    if is_conflict:
        return "conflict"
    return "applied" if theirs.knows(mine.seen) else "merged"


Twist = Callable[[dict[str, Any]], Any]  # changes the correct answer before it is sent
