"""Proves with few and small requests that two nodes hold the same objects, or finds those in which they differ.

Objects are put in the order of their keys. For a range of keys each node reports the number of its objects and one
digest over them. A range with the same number and digest on both nodes is equal; any other is cut into PARTS at keys
of our own, so that the number of steps is logarithmic however the keys are spread (sequential ones too). Once one node
has few objects left in a range, they are compared one by one.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from syncer.core.merge import Content

PARTS = 16  # into which a range that differs is cut
FEW = 64  # objects of a range, on either node, that are compared one by one
KEPT = 64  # keys of a range that are kept to cut it at
ASKED = 64  # ranges per request
LEAVES = 16  # ranges per request whose objects are compared one by one
LISTED = 1000  # differing objects that are named
DIGEST_BYTES = 16

# A canonical form: both nodes must produce the same bytes.
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode


@dataclass(frozen=True)
class Range:
    """The keys from `first` (included) to `end` (excluded), as text; None leaves that side open."""

    first: str | None = None
    end: str | None = None


WHOLE = Range()


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The objects of one node in a range, summarized."""

    count: int
    digest: str  # over all of them, DIGEST_BYTES in hexadecimal
    cuts: tuple[str, ...] = ()  # evenly spread keys of the range, in order; empty in another node's summary
    covered_to: str | None = None  # the key before which the summary ends; None where it covers the whole range


class Summing:
    """Summarizes objects that are added in the order of their keys, in constant memory."""

    def __init__(self) -> None:
        self.count = 0
        self._digest = hashlib.sha256()
        self._cuts: list[str] = []
        self._step = 1

    def add(self, key: str, digest: bytes) -> None:
        """Add the next object; `digest` is that of `digest_of`."""
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
    """Return the digest of one object: of its key and its shared fields, `{"field": JSON value}`."""
    return hashlib.sha256(_canonical([key, content]).encode()).digest()[:DIGEST_BYTES]


@dataclass(frozen=True)
class Leaf:
    """A range whose objects are compared one by one, and the number of them on each node."""

    part: Range
    ours: int
    theirs: int


@dataclass(kw_only=True)
class Differences:
    """The result so far; the lists hold keys, and numbers count objects unless they say otherwise."""

    equal: int = 0
    differing: list[str] = field(default_factory=list)  # both nodes have them, with different content
    only_here: list[str] = field(default_factory=list)
    only_there: list[str] = field(default_factory=list)
    more_here: int = 0  # only here, beyond the LISTED ones
    more_there: int = 0
    unread: int = 0  # the most objects that ranges may hold which differ and were not examined further
    unasked: int = 0  # ranges that were not compared

    @property
    def listed(self) -> int:
        return len(self.differing) + len(self.only_here) + len(self.only_there)

    @property
    def is_equal(self) -> bool:
        """Whether both nodes are proved to hold the same objects."""
        return not (self.listed or self.more_here or self.more_there or self.unread or self.unasked)


class Search:
    """The open questions of a comparison, and what the answers have shown."""

    def __init__(self) -> None:
        self.ranges = [WHOLE]  # that both nodes have to summarize
        self.leaves: list[Leaf] = []  # whose objects both nodes have to list
        self.differences = Differences()

    @property
    def is_over(self) -> bool:
        """Whether no question is left, or LISTED differing objects are known."""
        return self.differences.listed >= LISTED or not (self.ranges or self.leaves)

    def take_leaves(self) -> list[Leaf]:
        """Take the ranges to be listed by the next request; none while there are ranges to be summarized first."""
        if self.ranges and len(self.leaves) < LEAVES:
            return []
        taken, self.leaves = self.leaves[:LEAVES], self.leaves[LEAVES:]
        return taken

    def take_ranges(self) -> list[Range]:
        """Take the ranges to be summarized by the next request."""
        taken, self.ranges = self.ranges[:ASKED], self.ranges[ASKED:]
        return taken

    def put_back(self, ranges: Iterable[Range] = (), leaves: Iterable[Leaf] = ()) -> None:
        """Put unanswered or partly answered ranges in front, to be asked next."""
        self.ranges[:0] = ranges
        self.leaves[:0] = leaves

    def summed(self, part: Range, ours: Summary, theirs: Summary) -> None:
        """Take in the summaries of a range from both nodes."""
        if (ours.count, ours.digest) == (theirs.count, theirs.digest):
            self.differences.equal += ours.count
        elif min(ours.count, theirs.count) <= FEW:
            self.leaves.append(Leaf(part, ours.count, theirs.count))
        else:
            self.ranges[:0] = cut(part, ours.cuts)

    def listed(self, ours: Iterable[tuple[str, str]], theirs: Mapping[str, str]) -> None:
        """Take in the objects of a range, or of its beginning: (key, digest) by key, and `{key: digest}`."""
        left, differences = dict(theirs), self.differences
        for key, digest in ours:
            other = left.pop(key, None)
            if other is None:
                differences.more_here += self._is_full(differences.only_here, key)
            elif other == digest:
                differences.equal += 1
            elif self._is_full(differences.differing, key):
                differences.unread += 1
        for key in sorted(left):
            differences.more_there += self._is_full(differences.only_there, key)

    def _is_full(self, keys: list[str], key: str) -> bool:
        """Append a key, unless LISTED are there already; return whether that is so."""
        if self.differences.listed >= LISTED:
            return True
        keys.append(key)
        return False

    def end(self) -> Differences:
        """Return the result, with the most that the remaining ranges may hold."""
        for leaf in self.leaves:
            if leaf.ours == 0:
                self.differences.more_there += leaf.theirs
            elif leaf.theirs == 0:
                self.differences.more_here += leaf.ours
            else:
                self.differences.unread += max(leaf.ours, leaf.theirs)
        self.differences.unasked = len(self.ranges)
        self.leaves, self.ranges = [], []
        return self.differences


def cut(part: Range, keys: tuple[str, ...]) -> Iterator[Range]:
    """Cut a range into at most PARTS, at some of `keys`: at least two keys of that range, in order."""
    inner, most = keys[1:], PARTS - 1
    cuts = inner if len(inner) <= most else [inner[place * len(inner) // most] for place in range(most)]
    bounds = [part.first, *cuts, part.end]
    return (Range(first, end) for first, end in pairwise(bounds))
