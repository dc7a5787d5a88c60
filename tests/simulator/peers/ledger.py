"""The edits that each node knows, as sets, and what its objects must therefore be.

Nothing of `syncer.core.merge` is repeated here: no numbers, no version vectors, no merging of states. An edit remembers
all edits that its node knew. An edit that no other edit knew is current; the rules choose between several current ones.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

EXISTS, ASK = "exists", "ask"
NONE: frozenset[int] = frozenset()

reached: Counter[str] = Counter()  # how often each situation occurred

Content = Mapping[str, Any] | None
Place = tuple[str, str]  # node, key
Snapshot = dict[Place, tuple[frozenset[int], Content]]  # the edits that a node knew, and the content the engine left


@dataclass(frozen=True, kw_only=True)
class Made:
    """A change that a person made at a node between two times at which the engine stamped."""

    number: int
    node: str
    incarnation: int
    values: Mapping[str, Any]
    knew: frozenset[int]  # the edits of this object that the node knew
    at: int  # the time by the node's clock, in hours


@dataclass(kw_only=True)
class Ledger:
    decides: Mapping[str, str]  # `{"field": node}`, or ASK in place of a node
    made: dict[int, Made] = field(default_factory=dict)
    known: dict[Place, frozenset[int]] = field(default_factory=dict)  # the edits of each node, its own among them
    base: dict[Place, Content] = field(default_factory=dict)  # each node's objects as the engine left them
    # Edits that a restore removed from the only node that knew them; a message may still have them.
    dropped: set[int] = field(default_factory=set)

    def look(self, place: Place, incarnation: int, live: Content, at: int) -> None:
        """Record an edit if the object is not as the engine left it."""
        base = self.base.get(place)
        self.base[place] = live
        values = _edited(base, live)
        if values:
            self.decide(place, incarnation, values, at)

    def decide(self, place: Place, incarnation: int, values: Mapping[str, Any], at: int) -> None:
        """Record an edit that knew all edits that its node knows."""
        number, knew = len(self.made), self.known.get(place, NONE)
        values = {EXISTS: True, **values}
        self.made[number] = Made(number=number, node=place[0], incarnation=incarnation, values=values, knew=knew, at=at)
        self.known[place] = knew | {number}

    def receive(self, place: Place, edits: frozenset[int]) -> None:
        """Record that a node received these edits."""
        self.known[place] = self.known.get(place, NONE) | edits

    def left(self, place: Place, live: Content) -> None:
        """Record that the engine wrote the object."""
        self.base[place] = live

    def copy(self, node: str) -> Snapshot:
        """Return a node's part of the ledger, for its backup."""
        places = {place for place in (*self.known, *self.base) if place[0] == node}
        return {place: (self.known.get(place, NONE), self.base.get(place)) for place in places}

    def put_back(self, node: str, backup: Snapshot) -> None:
        """Restore a node's part of the ledger."""
        for place in self.copy(node):
            elsewhere = (known for (name, key), known in self.known.items() if name != node and key == place[1])
            known, base = backup.get(place, (NONE, None))
            self.dropped |= self.known.get(place, NONE) - known.union(*elsewhere)
            self.known[place], self.base[place] = known, base

    def current_edits(self, place: Place) -> dict[str, list[Made]]:
        """Return the edits of each field, and of EXISTS, that no other edit knew."""
        known = [self.made[number] for number in self.known.get(place, NONE)]
        names = {name for edit in known for name in edit.values}
        current = {}
        for name in names:
            of_name = [edit for edit in known if name in edit.values]
            overruled = frozenset[int]().union(*(edit.knew for edit in of_name))
            current[name] = [edit for edit in of_name if edit.number not in overruled]
        return current

    def check(self, place: Place, live: Content, conflicts: Iterable[str]) -> None:
        """Assert that the object is what its edits make it, and that conflicts left to a person wait."""
        current = self.current_edits(place)
        allowed = {name: self._allowed(name, edits) for name, edits in current.items()}
        if not current:
            assert live is None, f"{place} is there, and nobody made it"
            return
        is_open = {name for name, values in allowed.items() if len(values) > 1}
        waits = is_open if live is not None else is_open & {EXISTS}
        is_right = (live is not None) in allowed[EXISTS] and set(conflicts) == waits
        if live is not None:
            is_right &= live.keys() == allowed.keys() - {EXISTS}
            is_right &= all(value in allowed[name] for name, value in live.items())
        assert is_right, (
            f"{place} is {live}, {set(conflicts)} wait for a person, and these edits are current: {current}"
        )
        self._count(current, is_open)

    def _allowed(self, name: str, edits: list[Made]) -> list[Any]:
        """Return the values that the field may have: each edit's if a person decides, otherwise the one that wins."""
        authority = self.decides.get(name, "")
        if authority == ASK:
            return sorted({edit.values[name] for edit in edits})
        candidates = [edit for edit in edits if edit.node == authority] or edits
        node = min(edit.node for edit in candidates)
        of_node = [edit for edit in candidates if edit.node == node]
        return [max(of_node, key=lambda edit: (edit.incarnation, edit.number)).values[name]]

    def _count(self, current: Mapping[str, list[Made]], is_open: set[str]) -> None:
        for name, edits in current.items():
            values, nodes = {edit.values[name] for edit in edits}, {edit.node for edit in edits}
            if name == EXISTS:
                reached["a delete meets an edit"] += len(values) > 1
                continue
            reached["several edits of one field"] += len(values) > 1
            reached["several equal edits of one field"] += len(edits) > 1 and len(values) == 1
            reached["three nodes' edits of one field"] += len(nodes) > 2
            reached["edits of two lives of a node"] += len(edits) > len(nodes)
            reached["the edit with the latest time loses"] += self._is_late_loser(name, edits)
            reached["a person is asked"] += name in is_open
        reached["a person is asked whether it is there"] += EXISTS in is_open

    def _is_late_loser(self, name: str, edits: list[Made]) -> bool:
        allowed = self._allowed(name, edits)
        return len(allowed) == 1 and max(edits, key=lambda edit: edit.at).values[name] != allowed[0]


def _edited(base: Content, live: Content) -> dict[str, Any]:
    if live is None:
        return {} if base is None else {EXISTS: False}
    return {name: value for name, value in live.items() if base is None or base[name] != value}
