"""Preview of an adoption (`adopt.py`): the target's lists are read, and nothing is written, there or here."""

import time
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from backoffice.kit.phrases import Phrase, message_of, phrase
from syncer.core.outcome import Outcome
from syncer.engine.sender import Sender
from syncer.models import Binding, Route
from syncer.models.backlog import pending_pages
from syncer.models.keys import key_of
from syncer.models.routemap import Link, Parent, RouteMap
from syncer.targets.previews import Adoption
from syncer.targets.rest.adopt import NO_RECORD, Index, NotShownError, adopts
from syncer.targets.rest.endpoint import Endpoint
from syncer.targets.rest.exchanges import list_records
from syncer.targets.rest.payload import load
from syncer.targets.rest.trial import SECONDS, with_short_timeout


class MatchedRoutes(RouteMap):
    """The routes of a target, as if the records that were matched so far were bound already."""

    def __init__(self, routes: RouteMap) -> None:
        super().__init__(routes.target)
        self.matched: dict[tuple[int, str], str] = {}  # {(route's pk, key): encoded id}

    def parents(self, link: Link, pks: set[Any]) -> dict[Any, Parent]:
        known = super().parents(link, pks)
        if link.parent is None:
            return known
        for pk in pks:
            remote_id = self.matched.get((link.parent.pk, key_of(link.parent.declaration.model, pk)))
            if remote_id is not None:
                known[pk] = Parent(binding=known[pk].binding if pk in known else 0, remote_id=remote_id)
        return known


def preview_adoptions(routes: RouteMap, *, why_not: str = "") -> Sequence[Adoption]:
    """Return what adoption would do for each route that still adopts, parents first; see `Kind.adoptions`."""
    adopting = {route: keys for route in routes.parents_first if adopts(route) and (keys := _keys(route))}
    if not adopting or why_not:
        return [Adoption(route=route, why=_("%(why)s, and was not asked.") % {"why": why_not}) for route in adopting]
    matched, ends = MatchedRoutes(routes), time.monotonic() + SECONDS
    with Sender(with_short_timeout(routes.target)) as sender:
        return [_match(matched, route, pages, _read(sender, route, ends)) for route, pages in adopting.items()]


def _keys(route: Route) -> list[list[str]]:
    """Return the keys of the pending objects without a record as far as is known, page by page."""
    pages = []
    for keys in pending_pages(route):
        bindings = Binding.objects.filter(route=route, object_key__in=keys)
        others = set(bindings.exclude(NO_RECORD, in_doubt=False, on_hold=False).values_list("object_key", flat=True))
        if free := [key for key in keys if key not in others]:
            pages.append(free)
    return pages


def _read(sender: Sender, route: Route, ends: float) -> Index | str:
    """Return the records that a route's target lists; or, as a sentence, why they are not known."""
    listing = sender.run(list_records(sender, Endpoint.of(route), ends=ends))
    verdict = listing.verdict
    if verdict is None or verdict.outcome is not Outcome.DONE:
        late = phrase("did not answer within %(seconds)s s", seconds=f"{SECONDS:g}")
        return _of(route, late if verdict is None else verdict.why)
    try:
        return Index.of(route, listing.records)
    except NotShownError as error:
        return _of(route, message_of(error))


def _of(route: Route, why: str) -> Phrase:
    return phrase("%(target)s %(why)s.", target=str(route.target), why=why)


def _match(routes: MatchedRoutes, route: Route, pages: list[list[str]], index: Index | str) -> Adoption:
    """Match the objects with the records, and remember which record each would be bound to."""
    if isinstance(index, str):
        return Adoption(route=route, why=index)
    equal, differing, overwritten = set[str](), set[str](), set[str]()
    created = waiting = 0
    for keys in pages:
        for key, wanted in load(routes, route, keys).items():
            if wanted.fault:
                continue
            if wanted.waits:
                waiting += 1
                continue
            match = index.match(key, wanted)
            if match.chosen is not None:
                routes.matched[route.pk, key] = match.chosen.remote_id
                (equal if match.is_equal else overwritten).add(key)
            elif match.candidates:
                differing.add(key)
            else:
                created += 1
    return Adoption(
        route=route,
        equal=frozenset(equal),
        differing=frozenset(differing),
        overwritten=frozenset(overwritten),
        created=created,
        waiting=waiting,
    )
