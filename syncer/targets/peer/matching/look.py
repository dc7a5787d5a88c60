"""The first matching of two nodes that both have data: a preview, and the matching itself.

Routes without a natural key need none of this: their objects are merged by their keys when they are first sent.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from backoffice.kit import clock
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from syncer.core.matching import Line, Matching
from syncer.core.matching import match as match_lines
from syncer.core.merge import ASK
from syncer.engine.wake import wake
from syncer.models import Route, Run, Target
from syncer.models.routemap import RouteMap
from syncer.targets.peer.checks import not_matched
from syncer.targets.peer.client import PeerClient
from syncer.targets.peer.matching.rekey import rekey, shared_already
from syncer.targets.peer.pair.objects import lines, objects

PERSON = "a person"
TRAVELS = "as for any edit: already matched"


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field that differs, and what would decide it: a node's name, or PERSON."""

    name: str
    here: object
    there: object
    decides: str


@dataclass(frozen=True, kw_only=True)
class Differing:
    """An object that both ends have, with different contents."""

    key: str
    fields: list[Field]


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The matching of one model.

    Attributes:
        matching: what both ends have.
        differing: the first objects that differ, field by field.
        shared: the keys here of paired objects that keep their keys, because some peer knows them already.
        is_matched: whether the route is matched already, or needs no matching.
    """

    model: str
    matching: Matching
    differing: list[Differing]
    shared: list[str]
    is_matched: bool

    @property
    def matches(self) -> dict[str, str]:
        """The pairs that can be matched, `{key here: key there}`."""
        return {here: there for here, there in self.matching.pairs.items() if here not in self.shared}

    @property
    def is_clear(self) -> bool:
        """Whether nothing is left that a natural key should have matched."""
        return not (self.matching.pairs or self.matching.ambiguous)


def preview(target: Target) -> list[Preview]:
    """Return what both ends have of each model, parents first. Nothing is changed.

    Raises:
        NotPossibleError: the target is not a peer, or there is no usable answer.
    """
    with PeerClient(target) as peer:
        return [_preview(peer, route) for route in RouteMap(target).parents_first]


def match(target: Target) -> list[Preview]:
    """Give our objects the keys of the peer's objects that have the same natural keys.

    A route with nothing left to match counts as matched, and carries objects from then on. That is checked after the
    keys were changed: if both ends match at once, each takes the other's old keys, and the later one detects it.

    Returns:
        What both ends have of each model afterwards.

    Raises:
        NotPossibleError: see `preview`; or an object can't have another key. The models before it are matched.
    """
    remaining = []
    record(Action.DECIDED, target, decision="match")
    with PeerClient(target) as peer:
        for route in RouteMap(target).parents_first:
            if route.lookup and (matches := _preview(peer, route).matches):
                rekey(route, matches)
            model_preview = _preview(peer, route)
            remaining.append(model_preview)
            if model_preview.is_clear:
                _record_matched(route)
    _unblock(target)
    return remaining


def by_key(target: Target) -> None:
    """Count all routes of the target as matched: objects with different keys are different objects."""
    record(Action.DECIDED, target, decision="match by key")
    for route in target.routes.select_related("target"):
        _record_matched(route)
    _unblock(target)


def _record_matched(route: Route) -> None:
    if not route.is_matched:
        Route.objects.filter(pk=route.pk).update(matched_at=clock.now())


def _unblock(target: Target) -> None:
    """Once all routes are matched, remove the block that said otherwise, and start a sync."""
    for route in target.routes.select_related("target"):
        if not route.is_matched:
            return
        route.matched_at = None
        Target.objects.filter(pk=target.pk, blocked=not_matched(route)).exclude(blocked="").update(blocked="")
    target.refresh_from_db()
    if target.enabled and not target.blocked:
        wake(target=target, trigger=Run.Trigger.CHANGE)


def _preview(peer: PeerClient, route: Route) -> Preview:
    ours = (Line(key, digest, _natural_key(values)) for key, digest, values in lines(route, route.lookup))
    matching = match_lines(ours, _lines_there(peer, route))
    shared = shared_already(route, matching.pairs)
    differing = list(_differing(peer, route, matching.differing))
    return Preview(
        model=route.model, matching=matching, differing=differing, shared=sorted(shared), is_matched=route.is_matched
    )


def _lines_there(peer: PeerClient, route: Route) -> Iterator[Line]:
    after, is_last = None, False
    while not is_last:
        answer = peer.post("page", model=route.model, after=after, names=route.lookup)
        try:
            page = [
                Line(str(UUID(key)), str(digest), _natural_key(values)) for key, digest, values in answer["objects"]
            ]
            is_last = bool(answer["is_last"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise peer.invalid_answer() from error
        if not (page or is_last) or (page and after is not None and page[0].key <= after):
            raise peer.invalid_answer()
        yield from page
        after = page[-1].key if page else after


def _natural_key(values: list[Any]) -> str:
    """Return the natural key as text; empty if any part of it is missing."""
    return "" if not values or None in values else json.dumps(values, ensure_ascii=False, sort_keys=True)


def _differing(peer: PeerClient, route: Route, keys: list[str]) -> Iterator[Differing]:
    if not keys:
        return
    here = objects(route, keys)
    there = peer.post("objects", model=route.model, keys=keys, whole=True).get("objects")
    if not isinstance(there, dict):
        raise peer.invalid_answer()
    for key in keys:
        mine, other = here[key], there.get(key) or {}
        ours, theirs = mine["fields"] or {}, other.get("fields") or {}
        has_common_edits = bool({*mine["seen"]} & {*(other.get("seen") or {})})
        names = [name for name in route.shared if ours.get(name) != theirs.get(name)]
        fields = [
            Field(
                name=name,
                here=ours.get(name),
                there=theirs.get(name),
                decides=TRAVELS if has_common_edits else _decides(route, name),
            )
            for name in names
        ]
        yield Differing(key=key, fields=fields)


def _decides(route: Route, name: str) -> str:
    node = route.rules.of(name)
    if node == ASK or route.target.matching == Target.Matching.ASK:
        return PERSON
    return node or min(settings.NODE, route.target.peer_node)


def as_json(preview: Preview) -> Mapping[str, object]:
    """Return what `sync_match` prints."""
    matching = preview.matching
    return {
        "model": preview.model,
        "matched": preview.is_matched,
        "equal": matching.equal,
        "differ": matching.differ,
        "only_here": matching.only_here,
        "only_there": matching.only_there,
        "differing": {
            differing.key: {field.name: [field.here, field.there, field.decides] for field in differing.fields}
            for differing in preview.differing
        },
        "pairs": preview.matches,
        "shared": {key: matching.pairs[key] for key in preview.shared},
        "ambiguous": [[group.natural, list(group.here), list(group.there)] for group in matching.ambiguous],
    }
