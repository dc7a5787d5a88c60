"""The merge of two-way models: which node has seen which edit of which field, and the join of two such states.

Comparing contents is not enough: a lost answer could erase an edit, and three nodes could circulate it for ever. So
each object carries causality: every writer numbers its edits, and a state says which of them it knows. Joining two
states is then indifferent to loss, repeats and order, and needs no clock. It is a multi-value register for each field
(Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data Types", INRIA RR-7506, section
3.2.2, https://inria.hal.science/inria-00555588) under one version vector for the object.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

EXISTS = "exists"  # a pseudo-field: whether the object exists
ASK = "ask"  # in place of a node's name: only a person decides

Content = Mapping[str, Any]  # {"field": JSON value}
VersionVector = Mapping[str, int]  # {"writer": the highest known number of its edits}


@dataclass(frozen=True, kw_only=True)
class By:
    """The author of an edit, for people to read; no decision depends on it."""

    user: str = ""  # the name at the node of the edit; empty for a program
    reason: str = ""  # that the user gave
    at: str = ""  # ISO 8601, by that node's clock; empty where it is not known


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One edit of one field."""

    writer: str  # the node and its incarnation, `store:018f3a…`; see `node_of`
    number: int  # the position of the edit among all edits of the writer, from 1
    value: Any  # JSON
    by: By = field(default=By(), compare=False)

    @property
    def node(self) -> str:
        return node_of(self.writer)

    def is_in(self, seen: VersionVector) -> bool:
        return seen.get(self.writer, 0) >= self.number


Edits = tuple[Edit, ...]  # of one field: normally one; several if they were concurrent


@dataclass(frozen=True, kw_only=True)
class State:
    """The causal state of one object, as nodes exchange it."""

    seen: VersionVector = field(default_factory=dict)  # the edits that are known
    fields: Mapping[str, Edits] = field(default_factory=dict)  # with EXISTS; the edits that no other edit overruled

    def knows(self, other: VersionVector) -> bool:
        return covers(self.seen, other)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The rules that decide between concurrent edits."""

    # {"field": "node"}, with ASK where a person decides; for other fields the order of the node names decides.
    authority: Mapping[str, str] = field(default_factory=dict)
    ask: frozenset[str] = frozenset()  # fields that a person decides, whatever `authority` says

    def of(self, name: str) -> str:
        """Return the node that decides on a field, or ASK; empty where no rule names one."""
        return ASK if name in self.ask else self.authority.get(name, "")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The object that a state describes."""

    content: Content | None  # the fields that the state names; None where the object is deleted
    conflicts: frozenset[str] = frozenset()  # wait for a person, EXISTS too; in `content` they keep their local value


def node_of(writer: str) -> str:
    return writer.partition(":")[0]


def covers(seen: VersionVector, other: VersionVector) -> bool:
    return all(seen.get(writer, 0) >= number for writer, number in other.items())


def together(seen: VersionVector, other: VersionVector) -> dict[str, int]:
    return {writer: max(seen.get(writer, 0), other.get(writer, 0)) for writer in {*seen, *other}}


def changed(shadow: Content | None, live: Content | None) -> frozenset[str]:
    """Return the fields that differ, with EXISTS if any does; `shadow` is the content when it was last stamped."""
    if live is None:
        return frozenset() if shadow is None else frozenset({EXISTS})
    old = {} if shadow is None else shadow
    names = {name for name, value in live.items() if name not in old or old[name] != value}
    return frozenset({*names, EXISTS}) if names or shadow is None else frozenset()


def stamp(
    state: State, shadow: Content | None, live: Content | None, *, me: str, by: Mapping[str, By] | None = None
) -> State:
    """Return the state with the local changes since the last stamp as one edit of `me`, with the next number.

    The edit overrules what those fields held. Every edit also says that the object exists, so that it conflicts with a
    concurrent delete. A delete stamps EXISTS only: the fields stay as they were, because the object may come back.

    Args:
        shadow: the content when it was last stamped; None where the object did not exist.
        live: the content now; None where the object does not exist.
        by: the author of the edit of each field, and of EXISTS.
    """
    values = {name: live is not None if name == EXISTS else (live or {})[name] for name in changed(shadow, live)}
    return overrule(state, values, me=me, by=by)


def overrule(state: State, values: Content, *, me: str, by: Mapping[str, By] | None = None) -> State:
    """Return the state with these values as one edit of `me`, in place of all earlier edits of those fields.

    As every edit, it says that the object exists, unless `values` says otherwise of EXISTS.
    """
    if not values:
        return state
    number = state.seen.get(me, 0) + 1
    edits = {
        name: (Edit(writer=me, number=number, value=value, by=(by or {}).get(name, By())),)
        for name, value in {EXISTS: True, **values}.items()
    }
    return State(seen={**state.seen, me: number}, fields={**state.fields, **edits})


def join(mine: State, theirs: State) -> State:
    """Return the join of two states: what either has seen, and of each field the edits that neither overruled.

    An edit stays if both sides have it, or if the other side has not seen it; an edit that the other side has seen and
    no longer has was overruled there. The join is commutative, associative and idempotent.
    """
    names = {*mine.fields, *theirs.fields}
    fields = {name: _left(mine, theirs, name) for name in names}
    return State(seen=together(mine.seen, theirs.seen), fields={name: edits for name, edits in fields.items() if edits})


def _left(mine: State, theirs: State, name: str) -> Edits:
    """Return the edits of one field that neither side overruled."""
    ours, others = mine.fields.get(name, ()), theirs.fields.get(name, ())
    kept = [edit for edit in ours if edit in others or not edit.is_in(theirs.seen)]
    new = [edit for edit in others if not edit.is_in(mine.seen)]
    return tuple(sorted([*kept, *new], key=lambda edit: (edit.writer, edit.number)))


def outcome(state: State, rules: Rules, *, live: Content | None) -> Outcome:
    """Return what the object is to be here, where its content is now `live`.

    The result is the same on every node with the same rules, except for fields that wait for a person: there each node
    keeps its own value.
    """
    conflicts = frozenset(name for name, edits in state.fields.items() if is_open(edits, rules.of(name)))
    exists = state.fields.get(EXISTS, ())
    if not exists:
        return Outcome(content=None)
    is_there = live is not None if EXISTS in conflicts else winner(exists, rules.of(EXISTS)).value
    if not is_there:
        return Outcome(content=None, conflicts=conflicts & {EXISTS})
    content = {name: _value(name, edits, rules, live) for name, edits in state.fields.items() if name != EXISTS}
    return Outcome(content=content, conflicts=conflicts)


def is_open(edits: Edits, authority: str) -> bool:
    """Return whether the edits differ and a person is to decide."""
    return authority == ASK and any(edit.value != edits[0].value for edit in edits)


def winner(edits: Edits, authority: str) -> Edit:
    """Return the edit that wins among concurrent ones: the authority's, else that of the node whose name sorts first.

    Of several edits of one node, the latest wins. Only what the edits carry is compared, so that every node chooses
    the same one.
    """
    of_authority = [edit for edit in edits if edit.node == authority] or edits
    first = min(edit.node for edit in of_authority)
    return max((edit for edit in of_authority if edit.node == first), key=lambda edit: (edit.writer, edit.number))


def _value(name: str, edits: Edits, rules: Rules, live: Content | None) -> Any:
    """Return a field's value: the winner's, or the local one while a person is to decide."""
    authority = rules.of(name)
    if is_open(edits, authority) and live is not None and any(edit.value == live.get(name) for edit in edits):
        return live[name]
    return winner(edits, authority).value


def differing(content: Content | None, live: Content | None) -> frozenset[str]:
    """Return the fields, or EXISTS, in which the live object is not what its edits say."""
    if content is None or live is None:
        return frozenset() if content is live else frozenset({EXISTS})
    return frozenset(name for name, value in content.items() if name in live and live[name] != value)


def are_strangers(mine: VersionVector, theirs: VersionVector) -> bool:
    """Return whether both sides have edits, and neither knows any of the other's: they were never synced."""
    return bool(mine) and bool(theirs) and not {*mine} & {*theirs}


def newest(state: State, seen: VersionVector) -> list[Edit]:
    """Return the edits that `seen` does not cover, each once, in the order of writer and number."""
    edits: dict[tuple[str, int], Edit] = {}
    for name in sorted(state.fields):
        for edit in state.fields[name]:
            if not edit.is_in(seen):
                edits.setdefault((edit.writer, edit.number), edit)
    return [edits[key] for key in sorted(edits)]


# --- as JSON ---------------------------------------------------------------------------------------------------------


def edits_as_json(fields: Mapping[str, Edits]) -> dict[str, list[list[Any]]]:
    """Return `{"field": [[writer, number, value, user, reason, at], …]}`."""
    return {
        name: [[edit.writer, edit.number, edit.value, edit.by.user, edit.by.reason, edit.by.at] for edit in edits]
        for name, edits in fields.items()
    }


def edits_from_json(fields: Mapping[str, Iterable[Any]]) -> dict[str, Edits]:
    """Return the edits of which `edits_as_json` made `fields`.

    Raises:
        ValueError, TypeError: `fields` does not have that shape.
    """
    return {name: tuple(_edit(*values) for values in edits) for name, edits in fields.items()}


def _edit(writer: str, number: int, value: Any, user: str = "", reason: str = "", at: str = "") -> Edit:
    return Edit(writer=writer, number=number, value=value, by=By(user=user, reason=reason, at=at))
