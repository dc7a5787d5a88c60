"""Comparing our objects with a peer's by digests of ranges (`core/ranges.py`), to prove them equal or name the others.

An object that changes meanwhile may be named as differing. Such an object has a backlog, which is named with it.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backoffice.kit.batches import batched
from syncer.core.ranges import Differences, Leaf, Range, Search, Summary
from syncer.models import Route, Target
from syncer.targets.peer.client import PeerClient
from syncer.targets.peer.pair.objects import OBJECTS, backlog_of, digests, sum_up


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The comparison of one model.

    Attributes:
        model: such as `orders.Order`.
        differences: the objects that differ, or that only one end has.
        requests, bytes: the number of requests, and the size of their bodies and answers.
        here, there: the backlog of the objects in `differences` at each end, `{key: ["pending"]}`.
    """

    model: str
    differences: Differences
    requests: int
    bytes: int
    here: Mapping[str, list[str]]
    there: Mapping[str, list[str]]

    def words(self, key: str) -> list[str]:
        """Return why this object may differ although nothing is wrong, such as `["conflict", "pending"]`."""
        return sorted({*self.here.get(key, ()), *self.there.get(key, ())})


def compare_all(target: Target, *, model: str = "", seconds: float = float("inf")) -> list[Comparison]:
    """Compare each model that is shared with the peer, or only the named one.

    Args:
        seconds: after these no more questions are sent; the comparisons are incomplete then.

    Raises:
        NotPossibleError: the target is not a peer, or there is no usable answer.
    """
    until = time.monotonic() + seconds
    routes = target.routes.filter(enabled=True).select_related("target").order_by("model")
    with PeerClient(target) as peer:
        return [compare(peer, route, until=until) for route in (routes.filter(model=model) if model else routes)]


def compare(peer: PeerClient, route: Route, *, until: float = float("inf")) -> Comparison:
    """Compare one model, until all is known, enough is known, or the time (monotonic seconds) is over."""
    requests, size, search = peer.requests, peer.bytes, Search()
    while not search.is_over and time.monotonic() < until:
        if leaves := search.take_leaves():
            _compare_objects(peer, route, search, leaves)
        else:
            _compare_ranges(peer, route, search)
    differences = search.end()
    keys = [*differences.differing, *differences.only_here, *differences.only_there]
    there = _backlog_there(peer, route, keys)
    return Comparison(
        model=route.model,
        differences=differences,
        requests=peer.requests - requests,
        bytes=peer.bytes - size,
        here=backlog_of(route, keys),
        there=there,
    )


def _compare_ranges(peer: PeerClient, route: Route, search: Search) -> None:
    """Compare one digest for each of the next ranges."""
    ranges = search.take_ranges()
    summaries: list[Summary] = []
    for answer in _digests(peer, route, ranges, keys=False):
        try:
            count, digest = int(answer["count"]), str(answer["digest"])
        except (KeyError, TypeError, ValueError) as error:
            raise peer.invalid_answer() from error
        summaries.append(Summary(count=count, digest=digest, covered_to=answer.get("covered_to")))
    rest = ranges[len(summaries) :]
    for part, theirs in zip(ranges, summaries, strict=False):
        covered = part
        if theirs.covered_to is not None:
            covered = Range(part.first, theirs.covered_to)
            rest.insert(0, Range(theirs.covered_to, part.end))
        search.summed(covered, sum_up(route, covered), theirs)
    search.put_back(ranges=rest)


def _compare_objects(peer: PeerClient, route: Route, search: Search, leaves: list[Leaf]) -> None:
    """Compare the digest of each object in small ranges."""
    answers = _digests(peer, route, [leaf.part for leaf in leaves], keys=True)
    rest = leaves[len(answers) :]
    for leaf, answer in zip(leaves, answers, strict=False):
        theirs, covered_to, covered = answer.get("keys"), answer.get("covered_to"), leaf.part
        if not isinstance(theirs, dict):
            raise peer.invalid_answer()
        if covered_to is not None:
            covered = Range(leaf.part.first, covered_to)
            rest.insert(0, Leaf(Range(covered_to, leaf.part.end), leaf.ours, max(0, leaf.theirs - len(theirs))))
        search.listed(((key, digest.hex()) for key, digest in digests(route, covered)), theirs)
    search.put_back(leaves=rest)


def _digests(peer: PeerClient, route: Route, ranges: list[Range], *, keys: bool) -> list[dict[str, Any]]:
    """Return the peer's answers for the first of these ranges, at least one.

    Args:
        keys: whether to ask for each object's digest in place of the range's.
    """
    asked = [[part.first, part.end] for part in ranges]
    answers = peer.post("digests", model=route.model, ranges=asked, keys=keys).get("ranges")
    if not isinstance(answers, list) or not 0 < len(answers) <= len(ranges):
        raise peer.invalid_answer()
    if not all(isinstance(answer, dict) for answer in answers):
        raise peer.invalid_answer()
    for part, answer in zip(ranges, answers, strict=False):
        covered_to = answer.get("covered_to")
        is_in_range = (
            isinstance(covered_to, str)
            and (part.first or "") < covered_to
            and (part.end is None or covered_to < part.end)
        )
        if covered_to is not None and not is_in_range:
            raise peer.invalid_answer()
    return answers


def _backlog_there(peer: PeerClient, route: Route, keys: list[str]) -> dict[str, list[str]]:
    backlog: dict[str, list[str]] = {}
    for asked in batched(keys, OBJECTS):
        answers = peer.post("objects", model=route.model, keys=asked).get("objects")
        if not isinstance(answers, dict):
            raise peer.invalid_answer()
        for key, answer in answers.items():
            backlog[key] = [str(reason) for reason in answer.get("standing", ())]
    return backlog
