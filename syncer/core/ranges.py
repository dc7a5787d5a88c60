"""Proving that two nodes hold the same objects with few and small questions, and finding where they do not.

Objects are put in the order of their keys. Of a range of keys each node tells how many objects it has and one digest
over theirs. Where both are the same on both nodes, the range is equal; else it is cut into PARTS, at keys of our own,
so that it takes logarithmically many steps however the keys are spread (sequential ones too). Where one node has few
left, the objects are compared one by one.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from syncer.core.merge import Content

PARTS = 16  # that a range that differs is cut into
FEW = 64  # objects of a range, on either node, that are compared one by one
KEPT = 64  # keys that are kept of a range to cut it at
ASKED = 64  # ranges a question
LEAVES = 16  # ranges a question whose objects are compared one by one
LISTED = 1000  # objects that are found and named
DIGEST_BYTES = 16

# One way to write each value: both nodes must come to the same bytes.
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode


@dataclass(frozen=True)
class Range:
    """From `first`, which is in it, to `end`, which is not; keys as texts; None: open."""

    first: str | None = None
    end: str | None = None


WHOLE = Range()


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a node has in a range.

    Attributes:
        cuts: keys of it in their order, spread evenly; of our own only.
        covered_to: the summary ends at this key; None: to the range's end.
    """

    count: int
    digest: str
    cuts: tuple[str, ...] = ()
    covered_to: str | None = None


class Summing:
    """Sums up objects that are given in the order of their keys, in constant memory."""

    def __init__(self) -> None:
        self.count = 0
        self._digest = hashlib.sha256()
        self._cuts: list[str] = []
        self._step = 1

    def add(self, key: str, digest: bytes) -> None:
        self._digest.update(digest)
        if self.count % self._step == 0 and len(self._cuts) == KEPT:
            self._cuts, self._step = self._cuts[::2], self._step * 2
        if self.count % self._step == 0:
            self._cuts.append(key)
        self.count += 1

    def summary(self, *, covered_to: str | None = None) -> Summary:
        digest = self._digest.digest()[:DIGEST_BYTES].hex()
        return Summary(count=self.count, digest=digest, cuts=tuple(self._cuts), covered_to=covered_to)


def digest_of(key: str, content: Content) -> bytes:
    """Of one object: its key, and its shared fields as JSON values."""
    return hashlib.sha256(_canonical([key, content]).encode()).digest()[:DIGEST_BYTES]


@dataclass(frozen=True)
class Leaf:
    """A range that differs, whose objects are compared one by one, and how many there are on each node."""

    part: Range
    ours: int
    theirs: int


@dataclass(kw_only=True)
class Found:
    """What is known so far; the lists hold keys.

    Attributes:
        equal: objects.
        more_here, more_there: further objects that only one node has.
        unread: objects, at most, in ranges that differ and were not looked at farther.
        unasked: ranges that nothing is known of.
    """

    equal: int = 0
    differing: list[str] = field(default_factory=list)
    only_here: list[str] = field(default_factory=list)
    only_there: list[str] = field(default_factory=list)
    more_here: int = 0
    more_there: int = 0
    unread: int = 0
    unasked: int = 0

    @property
    def listed(self) -> int:
        return len(self.differing) + len(self.only_here) + len(self.only_there)

    @property
    def is_equal(self) -> bool:
        """It is proved."""
        return not (self.listed or self.more_here or self.more_there or self.unread or self.unasked)


class Search:
    """What to ask next, and what the answers mean.

    `ranges` are to be summed up by both nodes, `leaves` to be listed. It ends when neither is left, or when so much was
    found that nobody would read more.
    """

    def __init__(self) -> None:
        self.ranges, self.leaves, self.found = [WHOLE], list[Leaf](), Found()

    @property
    def is_over(self) -> bool:
        return self.found.listed >= LISTED or not (self.ranges or self.leaves)

    def take_leaves(self) -> list[Leaf]:
        """The ranges to be listed with the next question; none: others are to be summed up first."""
        if self.ranges and len(self.leaves) < LEAVES:
            return []
        taken, self.leaves = self.leaves[:LEAVES], self.leaves[LEAVES:]
        return taken

    def take_ranges(self) -> list[Range]:
        """The ranges to be summed up with the next question."""
        taken, self.ranges = self.ranges[:ASKED], self.ranges[ASKED:]
        return taken

    def put_back(self, ranges: Iterable[Range] = (), leaves: Iterable[Leaf] = ()) -> None:
        """What was not answered, or not to its end, is asked first the next time."""
        self.ranges[:0] = ranges
        self.leaves[:0] = leaves

    def summed(self, part: Range, ours: Summary, theirs: Summary) -> None:
        """What both nodes have in a range."""
        if (ours.count, ours.digest) == (theirs.count, theirs.digest):
            self.found.equal += ours.count
        elif min(ours.count, theirs.count) <= FEW:
            self.leaves.append(Leaf(part, ours.count, theirs.count))
        else:
            self.ranges[:0] = cut(part, ours.cuts)

    def listed(self, ours: Iterable[tuple[str, str]], theirs: Mapping[str, str]) -> None:
        """The objects that both nodes have in a range, or in its beginning: keys and digests; ours in order."""
        left, found = dict(theirs), self.found
        for key, digest in ours:
            other = left.pop(key, None)
            if other is None:
                found.more_here += self._is_full(found.only_here, key)
            elif other == digest:
                found.equal += 1
            elif self._is_full(found.differing, key):
                found.unread += 1
        for key in sorted(left):
            found.more_there += self._is_full(found.only_there, key)

    def _is_full(self, names: list[str], key: str) -> bool:
        """Whether there was no room for one more."""
        if self.found.listed >= LISTED:
            return True
        names.append(key)
        return False

    def end(self) -> Found:
        """What was found; of ranges that were left, what they may hold."""
        for leaf in self.leaves:
            if leaf.ours == 0:
                self.found.more_there += leaf.theirs
            elif leaf.theirs == 0:
                self.found.more_here += leaf.ours
            else:
                self.found.unread += max(leaf.ours, leaf.theirs)
        self.found.unasked = len(self.ranges)
        self.leaves, self.ranges = [], []
        return self.found


def cut(part: Range, keys: tuple[str, ...]) -> Iterator[Range]:
    """The range in at most PARTS, at some of `keys`, which are in it and in order; there are two of them at least."""
    inner, most = keys[1:], PARTS - 1
    chosen = inner if len(inner) <= most else [inner[place * len(inner) // most] for place in range(most)]
    bounds = [part.first, *chosen, part.end]
    return (Range(first, end) for first, end in pairwise(bounds))
