"""Comparing our objects with a peer's, by digests of ranges (`core/ranges.py`): they are equal, or where they are not.

What changes meanwhile may be named as differing; of such objects something is then to come, and that is said too.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backoffice.kit.batches import batched
from syncer.core.ranges import Found, Leaf, Range, Search, Summary
from syncer.models import Route, Target
from syncer.targets.peer.pair import digests
from syncer.targets.peer.pair.asking import Peer
from syncer.targets.peer.pair.backlog import standing
from syncer.targets.peer.pair.objects import OBJECTS


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One model at both ends.

    Attributes:
        requests, bytes: that it took, both ways.
        here, there: of the objects that were found, what is still to come of them at each end, `{key: ["pending"]}`.
    """

    model: str
    found: Found
    requests: int
    bytes: int
    here: Mapping[str, list[str]]
    there: Mapping[str, list[str]]

    def words(self, key: str) -> list[str]:
        """Why this object may differ and nothing is wrong."""
        return sorted({*self.here.get(key, ()), *self.there.get(key, ())})


def compare_all(target: Target, *, model: str = "", seconds: float = float("inf")) -> list[Comparison]:
    """Each model that is shared with the peer, or the named one. What does not fit into the time stays unasked.

    Raises:
        NotPossibleError: the target is no peer, or it gave no answer that can be used.
    """
    until = time.monotonic() + seconds
    routes = target.routes.filter(enabled=True).select_related("target").order_by("model")
    with Peer(target) as peer:
        return [compare(peer, route, until=until) for route in (routes.filter(model=model) if model else routes)]


def compare(peer: Peer, route: Route, *, until: float = float("inf")) -> Comparison:
    """One model; asks until all is known, enough was found, or the time (monotonic seconds) is over."""
    asked, size, search = peer.requests, peer.bytes, Search()
    while not search.is_over and time.monotonic() < until:
        if leaves := search.take_leaves():
            _list(peer, route, search, leaves)
        else:
            _sum_up(peer, route, search)
    found = search.end()
    keys = [*found.differing, *found.only_here, *found.only_there]
    there = dict(_standing_there(peer, route, keys))
    return Comparison(
        model=route.model,
        found=found,
        requests=peer.requests - asked,
        bytes=peer.bytes - size,
        here=standing(route, keys),
        there=there,
    )


def _sum_up(peer: Peer, route: Route, search: Search) -> None:
    ranges = search.take_ranges()
    answers = [(_summary(peer, one), one) for one in _ranges(peer, route, ranges, keys=False)]
    rest = ranges[len(answers) :]
    for part, (theirs, _) in zip(ranges, answers, strict=False):
        done = part
        if theirs.covered_to is not None:
            done = Range(part.first, theirs.covered_to)
            rest.insert(0, Range(theirs.covered_to, part.end))
        search.summed(done, digests.sum_up(route, done), theirs)
    search.put_back(ranges=rest)


def _summary(peer: Peer, record: Mapping[str, Any]) -> Summary:
    try:
        return Summary(count=int(record["count"]), digest=str(record["digest"]), covered_to=record.get("covered_to"))
    except (KeyError, TypeError, ValueError) as error:
        raise peer.not_understood() from error


def _list(peer: Peer, route: Route, search: Search, leaves: list[Leaf]) -> None:
    answers = _ranges(peer, route, [leaf.part for leaf in leaves], keys=True)
    rest = leaves[len(answers) :]
    for leaf, record in zip(leaves, answers, strict=False):
        theirs, covered_to, done = record.get("keys"), record.get("covered_to"), leaf.part
        if not isinstance(theirs, dict):
            raise peer.not_understood()
        if covered_to is not None:
            done = Range(leaf.part.first, covered_to)
            rest.insert(0, Leaf(Range(covered_to, leaf.part.end), leaf.ours, max(0, leaf.theirs - len(theirs))))
        search.listed(((key, digest.hex()) for key, digest in digests.digests(route, done)), theirs)
    search.put_back(leaves=rest)


def _ranges(peer: Peer, route: Route, ranges: list[Range], *, keys: bool) -> list[dict[str, Any]]:
    """What the peer says of the first of these ranges, of one at least."""
    asked = [[part.first, part.end] for part in ranges]
    told = peer.ask("digests", model=route.model, ranges=asked, keys=keys).get("ranges")
    if not (isinstance(told, list) and 0 < len(told) <= len(ranges) and all(isinstance(one, dict) for one in told)):
        raise peer.not_understood()
    for part, one in zip(ranges, told, strict=False):
        covered_to = one.get("covered_to")
        is_in = (
            isinstance(covered_to, str)
            and (part.first or "") < covered_to
            and (part.end is None or covered_to < part.end)
        )
        if covered_to is not None and not is_in:
            raise peer.not_understood()
    return told


def _standing_there(peer: Peer, route: Route, keys: list[str]) -> Iterator[tuple[str, list[str]]]:
    for some in batched(keys, OBJECTS):
        told = peer.ask("objects", model=route.model, keys=some).get("objects")
        if not isinstance(told, dict):
            raise peer.not_understood()
        for key, one in told.items():
            yield key, [str(word) for word in one.get("standing", ())]
