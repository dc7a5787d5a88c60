"""The first matching of two nodes that both have objects: which of them are the same.

By key first. Of what is left, by the natural key, where the operator named one: fields that tell two objects apart. A
natural key that is there more than once, at either end, tells nothing: a person has to look.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby, repeat

SHOWN = 10  # keys that are kept of a kind


@dataclass(frozen=True)
class Line:
    """An object: its key, a digest of key and content, and its natural key as a text; empty: it has none."""

    key: str
    digest: str
    natural: str = ""


@dataclass(frozen=True)
class Ambiguous:
    """A natural key that does not tell objects apart; the keys of those that have it and are at one end only."""

    natural: str
    here: tuple[str, ...]
    there: tuple[str, ...]


@dataclass(kw_only=True)
class Matching:
    """What both ends have; counts are objects.

    Attributes:
        differing: the first keys of those that are at both ends and differ.
        pairs: objects with one natural key, `{key here: key there}`; they count as only here and only there too.
    """

    equal: int = 0
    differ: int = 0
    only_here: int = 0
    only_there: int = 0
    differing: list[str] = field(default_factory=list)
    pairs: dict[str, str] = field(default_factory=dict)
    ambiguous: list[Ambiguous] = field(default_factory=list)


def match(ours: Iterable[Line], theirs: Iterable[Line]) -> Matching:
    """What two nodes have; both in the order of their keys."""
    found = Matching()
    here: dict[str, list[str]] = {}
    there: dict[str, list[str]] = {}
    taken: set[str] = set()
    for mine, other in side_by_side(ours, theirs):
        if mine and other:
            taken |= {mine.natural, other.natural}
            _count(found, mine, other)
            continue
        if mine:
            here.setdefault(mine.natural, []).append(mine.key)
        if other:
            there.setdefault(other.natural, []).append(other.key)
    found.only_here, found.only_there = sum(map(len, here.values())), sum(map(len, there.values()))
    for natural in sorted(({*here} & {*there}) - {""}):
        mine_, theirs_ = here[natural], there[natural]
        if natural in taken or len(mine_) > 1 or len(theirs_) > 1:
            found.ambiguous.append(Ambiguous(natural, tuple(mine_), tuple(theirs_)))
        else:
            found.pairs[mine_[0]] = theirs_[0]
    return found


def _count(found: Matching, mine: Line, other: Line) -> None:
    if mine.digest == other.digest:
        found.equal += 1
        return
    found.differ += 1
    if len(found.differing) < SHOWN:
        found.differing.append(mine.key)


def side_by_side(ours: Iterable[Line], theirs: Iterable[Line]) -> Iterator[tuple[Line | None, Line | None]]:
    """Two ordered lists as one: both lines of a key, or the only one."""
    marked = merge(zip(repeat(0), ours), zip(repeat(1), theirs), key=_key)
    for _, of_key in groupby(marked, key=_key):
        sides = dict(of_key)
        yield sides.get(0), sides.get(1)


def _key(marked: tuple[int, Line]) -> str:
    return marked[1].key
