"""The first matching of two nodes that both have data: what both have, what would come of it, and matching by hand.

Nothing here is needed where no natural key is named: objects meet by their keys when they first travel.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from backoffice.kit import clock
from syncer.core.matching import Line, Matching
from syncer.core.matching import match as match_lines
from syncer.core.merge import ASK
from syncer.engine.wake import wake
from syncer.models import Route, Run, Target
from syncer.models.routemap import RouteMap
from syncer.targets.peer.matching import not_matched
from syncer.targets.peer.matching.rekey import rekey, shared_already
from syncer.targets.peer.pair.asking import Peer
from syncer.targets.peer.pair.objects import lines, objects

PERSON = "a person"
TRAVELS = "as any edit: they have met"


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field that differs, and what would decide: a node's name, or a person."""

    name: str
    here: Any
    there: Any
    decides: str


@dataclass(frozen=True, kw_only=True)
class Differing:
    """An object that both ends have and that differs."""

    key: str
    fields: list[Field]


@dataclass(frozen=True, kw_only=True)
class Preview:
    """One model.

    Attributes:
        differing: the first of them, field by field.
        shared: of the pairs those, by their keys here, that some peer knows already, so that they keep their keys.
        is_matched: it was said already how objects are matched, or there is nothing to say.
    """

    model: str
    found: Matching
    differing: list[Differing]
    shared: list[str]
    is_matched: bool

    @property
    def matches(self) -> dict[str, str]:
        """The pairs that can be matched."""
        return {here: there for here, there in self.found.pairs.items() if here not in self.shared}

    @property
    def is_clear(self) -> bool:
        """Nothing is left that a natural key should have matched."""
        return not (self.found.pairs or self.found.ambiguous)


def preview(target: Target) -> list[Preview]:
    """What both ends have of each model, parents first. Changes nothing.

    Raises:
        NotPossibleError: the target is no peer, or it gave no answer that can be used.
    """
    with Peer(target) as peer:
        return [_preview(peer, route) for route in RouteMap(target).parents_first]


def match(target: Target) -> list[Preview]:
    """Give our objects the keys of those at the peer that have their natural key; what is left then.

    Where nothing is left, the route has met, and objects travel. That is looked at after the keys were changed: should
    both ends do this at once, each takes the other's old keys, and the later one sees it.

    Raises:
        NotPossibleError: as `preview`; or an object can't have another key. Models before it are matched.
    """
    left = []
    with Peer(target) as peer:
        for route in RouteMap(target).parents_first:
            if route.lookup and (matches := _preview(peer, route).matches):
                rekey(route, matches)
            one = _preview(peer, route)
            left.append(one)
            if one.is_clear:
                _met(route)
    _go_on(target)
    return left


def by_key(target: Target) -> None:
    """Say that objects with different keys are different ones."""
    for route in target.routes.select_related("target"):
        _met(route)
    _go_on(target)


def _met(route: Route) -> None:
    if not route.is_matched:
        Route.objects.filter(pk=route.pk).update(matched_at=clock.now())


def _go_on(target: Target) -> None:
    """Forget that it was blocked for not having met."""
    for route in target.routes.select_related("target"):
        if not route.is_matched:
            return
        route.matched_at = None
        Target.objects.filter(pk=target.pk, blocked=not_matched.why(route)).exclude(blocked="").update(blocked="")
    target.refresh_from_db()
    if target.enabled and not target.blocked:
        wake(target=target, trigger=Run.Trigger.CHANGE)


def _preview(peer: Peer, route: Route) -> Preview:
    found = match_lines(_ours(route), _theirs(peer, route))
    shared = shared_already(route, found.pairs)
    differing = list(_differing(peer, route, found.differing))
    return Preview(
        model=route.model, found=found, differing=differing, shared=sorted(shared), is_matched=route.is_matched
    )


def _ours(route: Route) -> Iterator[Line]:
    return (Line(key, digest, _natural(values)) for key, digest, values in lines(route, route.lookup))


def _theirs(peer: Peer, route: Route) -> Iterator[Line]:
    after, is_last = None, False
    while not is_last:
        told = peer.ask("page", model=route.model, after=after, names=route.lookup)
        try:
            page = [Line(str(UUID(key)), str(digest), _natural(values)) for key, digest, values in told["objects"]]
            is_last = bool(told["is_last"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise peer.not_understood() from error
        if not (page or is_last) or any(after is not None and one.key <= after for one in page[:1]):
            raise peer.not_understood()
        yield from page
        after = page[-1].key if page else after


def _natural(values: list[Any]) -> str:
    """Where a part of it is missing there is none."""
    return "" if not values or None in values else json.dumps(values, ensure_ascii=False, sort_keys=True)


def _differing(peer: Peer, route: Route, keys: list[str]) -> Iterator[Differing]:
    if not keys:
        return
    here = objects(route, keys)
    there = peer.ask("objects", model=route.model, keys=keys, whole=True).get("objects")
    if not isinstance(there, dict):
        raise peer.not_understood()
    for key in keys:
        mine, other = here[key], there.get(key) or {}
        ours, theirs = mine["fields"] or {}, other.get("fields") or {}
        knows = bool({*mine["seen"]} & {*(other.get("seen") or {})})
        names = [name for name in route.shared if ours.get(name) != theirs.get(name)]
        fields = [
            Field(name=name, here=ours.get(name), there=theirs.get(name), decides=_decides(route, name, knows=knows))
            for name in names
        ]
        yield Differing(key=key, fields=fields)


def _decides(route: Route, name: str, *, knows: bool) -> str:
    if knows:
        return TRAVELS
    node = route.rules.of(name)
    if node == ASK or route.target.matching == Target.Matching.ASK:
        return PERSON
    return node or min(settings.NODE, route.target.peer_node)


def as_json(one: Preview) -> Mapping[str, Any]:
    """For commands."""
    found = one.found
    return {
        "model": one.model,
        "matched": one.is_matched,
        "equal": found.equal,
        "differ": found.differ,
        "only_here": found.only_here,
        "only_there": found.only_there,
        "differing": {
            differing.key: {one.name: [one.here, one.there, one.decides] for one in differing.fields}
            for differing in one.differing
        },
        "pairs": one.matches,
        "shared": {key: found.pairs[key] for key in one.shared},
        "ambiguous": [[one.natural, list(one.here), list(one.there)] for one in found.ambiguous],
    }
