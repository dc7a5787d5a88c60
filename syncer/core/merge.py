"""Two-way models: who has seen which edit of which field, and what two such states make together.

Comparing contents is not enough: a lost answer could erase an edit, and three nodes could circulate for ever. So each
object carries causality: edits are numbered by whoever makes them, and a state says which of them it knows. Joining two
states is then indifferent to loss, repeats and order, and needs no clock. It is a multi-value register for each field
(Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data Types", INRIA RR-7506, section
3.2.2, https://inria.hal.science/inria-00555588) under one version vector for the object.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

EXISTS = "exists"  # stands beside the fields: whether the object is there
ASK = "ask"  # in place of a node's name: nobody decides but a person

Content = Mapping[str, Any]  # {"field": JSON value}
VersionVector = Mapping[str, int]  # {"writer": the highest number of its edits that is known}


@dataclass(frozen=True, kw_only=True)
class By:
    """Who made an edit, for people to read; it decides nothing.

    Attributes:
        user: the name at the node where it was made; empty: a program.
        reason: what was given as the reason.
        at: ISO 8601, by that node's clock; empty: not known.
    """

    user: str = ""
    reason: str = ""
    at: str = ""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A value and the edit that gave it, number `number` of `writer`.

    Attributes:
        writer: a node and its incarnation, `store:018f3a…`; see `node_of`.
    """

    writer: str
    number: int
    value: Any
    by: By = field(default=By(), compare=False)

    @property
    def node(self) -> str:
        return node_of(self.writer)

    def is_in(self, seen: VersionVector) -> bool:
        """Whoever has seen this much knows the edit."""
        return seen.get(self.writer, 0) >= self.number


Edits = tuple[Edit, ...]  # of one field: normally one; several did not know of each other


@dataclass(frozen=True, kw_only=True)
class State:
    """What travels of an object: the edits that are known, and of each field, and EXISTS, those that none overruled."""

    seen: VersionVector = field(default_factory=dict)
    fields: Mapping[str, Edits] = field(default_factory=dict)

    def knows(self, other: VersionVector) -> bool:
        """Nothing that `other` has seen is news here."""
        return covers(self.seen, other)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Who decides between edits that did not know of each other.

    Attributes:
        authority: `{"field": "node"}`, or ASK in a node's place; for other fields the order of names decides.
        ask: fields for a person, whatever `authority` says.
    """

    authority: Mapping[str, str] = field(default_factory=dict)
    ask: frozenset[str] = frozenset()

    def of(self, name: str) -> str:
        """The node that decides, ASK, or empty: nobody in particular."""
        return ASK if name in self.ask else self.authority.get(name, "")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a state says the object is.

    Attributes:
        content: its fields; None: it is deleted. Fields that the state does not name are not in it.
        conflicts: the fields, and EXISTS, that wait for a person; in `content` they are as they were here.
    """

    content: Content | None
    conflicts: frozenset[str] = frozenset()


def node_of(writer: str) -> str:
    """`store:018f3a…` → `store`."""
    return writer.partition(":")[0]


def covers(seen: VersionVector, other: VersionVector) -> bool:
    """`seen` knows all that `other` knows."""
    return all(seen.get(writer, 0) >= number for writer, number in other.items())


def together(seen: VersionVector, other: VersionVector) -> dict[str, int]:
    """What either knows."""
    return {writer: max(seen.get(writer, 0), other.get(writer, 0)) for writer in {*seen, *other}}


def changed(shadow: Content | None, live: Content | None) -> frozenset[str]:
    """The fields that differ, and EXISTS where anything does; `shadow` is what the object was when last stamped."""
    if live is None:
        return frozenset() if shadow is None else frozenset({EXISTS})
    old = {} if shadow is None else shadow
    names = {name for name, value in live.items() if name not in old or old[name] != value}
    return frozenset({*names, EXISTS}) if names or shadow is None else frozenset()


def stamp(
    state: State, shadow: Content | None, live: Content | None, *, me: str, by: Mapping[str, By] | None = None
) -> State:
    """The state with what was edited here since it was last stamped: an edit of `me`, with the next number.

    It overrules what those fields held. Any edit also says that the object exists, so that a delete that does not know
    of it meets it there. A delete stamps EXISTS only: the fields stay as they were, for the object may come back.

    Args:
        by: who edited which field; EXISTS too.
    """
    values = {name: live is not None if name == EXISTS else (live or {})[name] for name in changed(shadow, live)}
    return overrule(state, values, me=me, by=by)


def overrule(state: State, values: Mapping[str, Any], *, me: str, by: Mapping[str, By] | None = None) -> State:
    """The state with these values as one edit of `me`, in place of whatever edits of those fields it had.

    As any edit it says that the object exists, unless `values` has EXISTS otherwise.
    """
    if not values:
        return state
    number = state.seen.get(me, 0) + 1
    made = {
        name: (Edit(writer=me, number=number, value=value, by=(by or {}).get(name, By())),)
        for name, value in {EXISTS: True, **values}.items()
    }
    return State(seen={**state.seen, me: number}, fields={**state.fields, **made})


def join(mine: State, theirs: State) -> State:
    """All that either knows, and of each field the edits that neither overruled.

    An edit stays where both have it, or where the other side has not seen it; one that the other side has seen and does
    not have any more was overruled there. Commutative, associative and idempotent.
    """
    names = {*mine.fields, *theirs.fields}
    fields = {name: _left(mine, theirs, name) for name in names}
    return State(seen=together(mine.seen, theirs.seen), fields={name: edits for name, edits in fields.items() if edits})


def _left(mine: State, theirs: State, name: str) -> Edits:
    ours, others = mine.fields.get(name, ()), theirs.fields.get(name, ())
    kept = [one for one in ours if one in others or not one.is_in(theirs.seen)]
    new = [one for one in others if not one.is_in(mine.seen)]
    return tuple(sorted([*kept, *new], key=lambda one: (one.writer, one.number)))


def outcome(state: State, rules: Rules, *, live: Content | None) -> Outcome:
    """What the object is to be here; `live` is what it is now.

    The same on every node with the same rules, but for fields that wait for a person: there each keeps its own.
    """
    conflicts = frozenset(name for name, edits in state.fields.items() if is_open(edits, rules.of(name)))
    exists = state.fields.get(EXISTS, ())
    if not exists:
        return Outcome(content=None)
    there = live is not None if EXISTS in conflicts else winner(exists, rules.of(EXISTS)).value
    if not there:
        return Outcome(content=None, conflicts=conflicts & {EXISTS})
    content = {name: _value(name, edits, rules, live) for name, edits in state.fields.items() if name != EXISTS}
    return Outcome(content=content, conflicts=conflicts)


def is_open(edits: Edits, authority: str) -> bool:
    """They differ, and a person is to decide."""
    return authority == ASK and any(one.value != edits[0].value for one in edits)


def winner(edits: Edits, authority: str) -> Edit:
    """Of edits that did not know of each other: the authority's; else the lower node name's, and of one node the later.

    Compared by what the edits carry, so that it is the same one on every node.
    """
    of_authority = [one for one in edits if one.node == authority] or edits
    first = min(one.node for one in of_authority)
    return max((one for one in of_authority if one.node == first), key=lambda one: (one.writer, one.number))


def _value(name: str, edits: Edits, rules: Rules, live: Content | None) -> Any:
    authority = rules.of(name)
    if is_open(edits, authority) and live is not None and any(one.value == live.get(name) for one in edits):
        return live[name]
    return winner(edits, authority).value


def differing(content: Content | None, live: Content | None) -> frozenset[str]:
    """Where the live object is not what its edits make together: the fields, or EXISTS."""
    if content is None or live is None:
        return frozenset() if content is live else frozenset({EXISTS})
    return frozenset(name for name, value in content.items() if name in live and live[name] != value)


def are_strangers(mine: VersionVector, theirs: VersionVector) -> bool:
    """Both have edits, and neither knows of any of the other's: these two have never met."""
    return bool(mine) and bool(theirs) and not {*mine} & {*theirs}


def newest(state: State, seen: VersionVector) -> list[Edit]:
    """The edits that whoever has seen so much does not know, in a fixed order; each once."""
    found: dict[tuple[str, int], Edit] = {}
    for name in sorted(state.fields):
        for one in state.fields[name]:
            if not one.is_in(seen):
                found.setdefault((one.writer, one.number), one)
    return [found[key] for key in sorted(found)]


# --- as JSON ---------------------------------------------------------------------------------------------------------


def edits_as_json(fields: Mapping[str, Edits]) -> dict[str, list[list[Any]]]:
    """`{"field": [[writer, number, value, user, reason, at], …]}`."""
    return {
        name: [[one.writer, one.number, one.value, one.by.user, one.by.reason, one.by.at] for one in edits]
        for name, edits in fields.items()
    }


def edits_from_json(fields: Mapping[str, Iterable[Any]]) -> dict[str, Edits]:
    """The inverse of `edits_as_json`.

    Raises:
        ValueError, TypeError: it is not of that shape.
    """
    return {name: tuple(_edit(*one) for one in edits) for name, edits in fields.items()}


def _edit(writer: str, number: int, value: Any, user: str = "", reason: str = "", at: str = "") -> Edit:
    return Edit(writer=writer, number=number, value=value, by=By(user=user, reason=reason, at=at))
