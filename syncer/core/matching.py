"""The first matching of two nodes that both have objects: finds out which of them are the same.

Objects are matched by key first, and the rest by the natural key, where the operator named one: fields that together
identify an object. A natural key that occurs more than once at either end identifies nothing, and a person decides.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby, repeat

SHOWN = 10  # keys of differing objects that are kept


@dataclass(frozen=True)
class Line:
    """One object: its key, a digest of key and content, and its natural key as text (empty where it has none)."""

    key: str
    digest: str
    natural: str = ""


@dataclass(frozen=True)
class Ambiguous:
    """A natural key that several objects share, and the keys of those objects that exist at one end only."""

    natural: str
    here: tuple[str, ...]
    there: tuple[str, ...]


@dataclass(kw_only=True)
class Matching:
    """The result of a matching; the counts are numbers of objects."""

    equal: int = 0
    differ: int = 0
    only_here: int = 0
    only_there: int = 0
    differing: list[str] = field(default_factory=list)  # the first SHOWN keys
    # {key here: key there} of objects that share a natural key; they also count in `only_here` and `only_there`.
    pairs: dict[str, str] = field(default_factory=dict)
    ambiguous: list[Ambiguous] = field(default_factory=list)


def match(ours: Iterable[Line], theirs: Iterable[Line]) -> Matching:
    """Match the objects of two nodes; both come in the order of their keys."""
    matching = Matching()
    keys_here: dict[str, list[str]] = {}  # of objects that are at this end only, by natural key
    keys_there: dict[str, list[str]] = {}
    taken: set[str] = set()  # natural keys of objects that are at both ends
    for mine, other in side_by_side(ours, theirs):
        if mine and other:
            taken |= {mine.natural, other.natural}
            is_equal = mine.digest == other.digest
            matching.equal += is_equal
            matching.differ += not is_equal
            if not is_equal and len(matching.differing) < SHOWN:
                matching.differing.append(mine.key)
            continue
        if mine:
            keys_here.setdefault(mine.natural, []).append(mine.key)
        if other:
            keys_there.setdefault(other.natural, []).append(other.key)
    matching.only_here = sum(map(len, keys_here.values()))
    matching.only_there = sum(map(len, keys_there.values()))
    for natural in sorted(({*keys_here} & {*keys_there}) - {""}):
        here, there = keys_here[natural], keys_there[natural]
        if natural in taken or len(here) > 1 or len(there) > 1:
            matching.ambiguous.append(Ambiguous(natural, tuple(here), tuple(there)))
        else:
            matching.pairs[here[0]] = there[0]
    return matching


def side_by_side(ours: Iterable[Line], theirs: Iterable[Line]) -> Iterator[tuple[Line | None, Line | None]]:
    """Yield the two lines of each key, None where one side lacks it; both inputs are in the order of their keys."""

    def key(numbered: tuple[int, Line]) -> str:
        return numbered[1].key

    for _, lines in groupby(merge(zip(repeat(0), ours), zip(repeat(1), theirs), key=key), key=key):
        sides = dict(lines)
        yield sides.get(0), sides.get(1)
