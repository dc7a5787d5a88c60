"""The edits that each node has received, and the content that its objects must therefore have.

It repeats nothing of `syncer.core.merge`: no numbers, no vectors, no merging of states. An edit remembers all edits
that its editor's node knew; one that no other edit knew stands; of several that stand the rules choose.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

EXISTS, ASK = "exists", "ask"
NONE: frozenset[int] = frozenset()

reached: Counter[str] = Counter()  # situations, and how often they came about

Content = Mapping[str, Any] | None
Place = tuple[str, str]  # node, key
ItemResult = dict[
    Place, tuple[frozenset[int], Content]
]  # what a node knew of each object, and how the engine had left it


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a person changed at a node between two moments at which the engine looked.

    Attributes:
        knew: the edits of this object that the node knew.
        at: what the node's clock said, in hours.
    """

    number: int
    node: str
    incarnation: int
    values: Mapping[str, Any]
    knew: frozenset[int]
    at: int


@dataclass(kw_only=True)
class Ledger:
    """
    Attributes:
        decides: `{"field": who}`, a node's name or ASK.
        known: the edits that each node has received or made itself.
        base: each node's objects as the engine left them.
        dropped: edits that a restore took from the only node that knew them; a message may still have them.
    """

    decides: Mapping[str, str]
    made: dict[int, Made] = field(default_factory=dict)
    known: dict[Place, frozenset[int]] = field(default_factory=dict)
    base: dict[Place, Content] = field(default_factory=dict)
    dropped: set[int] = field(default_factory=set)

    def look(self, place: Place, incarnation: int, live: Content, at: int) -> None:
        """The engine looks: what is not as it left it was edited."""
        base = self.base.get(place)
        self.base[place] = live
        values = _edited(base, live)
        if values:
            self.decide(place, incarnation, values, at)

    def decide(self, place: Place, incarnation: int, values: Mapping[str, Any], at: int) -> None:
        """An edit that knew all that its node knows."""
        number, knew = len(self.made), self.known.get(place, NONE)
        self.made[number] = Made(
            number=number,
            node=place[0],
            incarnation=incarnation,
            values={EXISTS: True, **values},
            knew=knew,
            at=at,
        )
        self.known[place] = knew | {number}

    def heard(self, place: Place, told: frozenset[int]) -> None:
        self.known[place] = self.known.get(place, NONE) | told

    def left(self, place: Place, live: Content) -> None:
        """The engine wrote the object."""
        self.base[place] = live

    def copy(self, node: str) -> ItemResult:
        """What a backup of a node holds."""
        places = {place for place in (*self.known, *self.base) if place[0] == node}
        return {place: (self.known.get(place, NONE), self.base.get(place)) for place in places}

    def put_back(self, node: str, told: ItemResult) -> None:
        """A node knows no more than its backup does."""
        for place in self.copy(node):
            elsewhere = (known for (name, key), known in self.known.items() if name != node and key == place[1])
            known, base = told.get(place, (NONE, None))
            self.dropped |= self.known.get(place, NONE) - known.union(*elsewhere)
            self.known[place], self.base[place] = known, base

    def standing(self, place: Place) -> dict[str, list[Made]]:
        """Of each field, and EXISTS, the edits that no other one knew."""
        known = [self.made[number] for number in self.known.get(place, NONE)]
        names = {name for one in known for name in one.values}
        found = {}
        for name in names:
            of_name = [one for one in known if name in one.values]
            overruled = frozenset[int]().union(*(one.knew for one in of_name))
            found[name] = [one for one in of_name if one.number not in overruled]
        return found

    def check(self, place: Place, live: Content, conflicts: Iterable[str]) -> None:
        """The object is what its edits make it, and waits for a person where these differ and one is to be asked."""
        standing = self.standing(place)
        allowed = {name: self._allowed(name, edits) for name, edits in standing.items()}
        if not standing:
            assert live is None, f"{place} is there, and nobody made it"
            return
        is_open = {name for name, values in allowed.items() if len(values) > 1}
        waits = is_open if live is not None else is_open & {EXISTS}
        is_right = (live is not None) in allowed[EXISTS] and set(conflicts) == waits
        if live is not None:
            is_right &= live.keys() == allowed.keys() - {EXISTS}
            is_right &= all(value in allowed[name] for name, value in live.items())
        assert is_right, f"{place} is {live}, {set(conflicts)} wait for a person, and these stand: {standing}"
        self._notice(standing, is_open)

    def _allowed(self, name: str, edits: list[Made]) -> list[Any]:
        """Each of their values where a person is to be asked; else the one that wins."""
        who = self.decides.get(name, "")
        if who == ASK:
            return sorted({one.values[name] for one in edits})
        heard = [one for one in edits if one.node == who] or edits
        node = min(one.node for one in heard)
        return [
            max((one for one in heard if one.node == node), key=lambda one: (one.incarnation, one.number)).values[name]
        ]

    def _notice(self, standing: Mapping[str, list[Made]], is_open: set[str]) -> None:
        for name, edits in standing.items():
            values, nodes = {one.values[name] for one in edits}, {one.node for one in edits}
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
        return len(allowed) == 1 and max(edits, key=lambda one: one.at).values[name] != allowed[0]


def _edited(base: Content, live: Content) -> dict[str, Any]:
    if live is None:
        return {} if base is None else {EXISTS: False}
    return {name: value for name, value in live.items() if base is None or base[name] != value}
