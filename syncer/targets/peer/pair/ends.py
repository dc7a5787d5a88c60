"""The status of both ends of a pair: marks, backlogs, rules."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, ValidationError

from backoffice.kit import clock
from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import message_of
from syncer.core.errors import NotPossibleError, SyncError
from syncer.core.merge import EXISTS
from syncer.models import Route, Target
from syncer.models.backlog import of_route
from syncer.models.mapping import declarations
from syncer.targets.peer.client import PeerClient


class End(BaseModel):
    """The current status of one model at one end; the numbers count objects."""

    model_config = ConfigDict(frozen=True)

    model: str
    enabled: bool
    trigger: str
    planned_at: datetime | None  # when that end last read its history
    pending: int
    retrying: int
    rejected: int
    on_hold: int
    conflicts: int
    objects: int
    is_matched: bool  # whether it exchanges objects; otherwise they have to be matched first
    problem: str  # why that end does not know its backlog; empty if it does
    authority: dict[str, str]  # the rules by which it resolves conflicts, `{"field": "node"}`
    shared: list[str]  # the fields that it shares
    rules: str  # a digest of both


class Status(BaseModel):
    """One end's answer: its routes, and how it resolves conflicts at the first matching."""

    matching: str
    routes: list[End]


def ours(target: Target) -> list[End]:
    """Return our end of each route that we share with the peer."""
    routes = target.routes.select_related("target").order_by("model")
    return [_end(route) for route in routes if route.model in declarations()]


def _end(route: Route) -> End:
    names = ("pending", "retrying", "rejected", "on_hold", "conflicts")
    try:
        status = of_route(route)
        problem, numbers = "", {name: getattr(status, name) for name in names}
    except SyncError as error:
        problem, numbers = localized(message_of(error)), dict.fromkeys(names, 0)
    shared, authority = sorted(route.shared), dict(sorted(route.rules.authority.items()))
    return End(
        model=route.model,
        enabled=route.enabled,
        trigger=route.trigger,
        planned_at=route.planned_at,
        objects=route.declaration.model._default_manager.count(),
        is_matched=route.is_matched,
        problem=problem,
        authority=authority,
        shared=shared,
        rules=hashlib.sha256(json.dumps([shared, authority]).encode()).hexdigest()[:16],
        **numbers,
    )


class ModelPair(BaseModel):
    """One model at both ends; None for an end that has no route for it."""

    model: str
    here: End | None
    there: End | None

    @property
    def ends(self) -> list[tuple[str, End | None]]:
        """Both ends, each with the name that pages show."""
        return [("here", self.here), ("there", self.there)]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The status of both ends.

    Attributes:
        asked_at: when the other end was asked, ISO 8601.
        problem: why the other end's status is unknown; empty if it answered.
        warnings: the settings in which the two ends differ, in sentences.
    """

    target: Target
    asked_at: str
    problem: str
    models: list[ModelPair]
    warnings: list[str]

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is still to be sent, and nothing waits for a person."""
        ends = [end for both in self.models for end in (both.here, both.there)]
        has_backlog = any(
            end is None or end.problem or end.pending + end.rejected + end.on_hold + end.conflicts for end in ends
        )
        return not (self.problem or self.warnings or has_backlog)


def look(target: Target) -> Pair:
    """Return the status of both ends now, with one request to the peer.

    Raises:
        NotPossibleError: the target is not a peer.
    """
    here = {end.model: end for end in ours(target)}
    answer, problem = None, ""
    with PeerClient(target) as peer:
        try:
            answer = _ask(peer)
        except NotPossibleError as error:
            problem = localized(message_of(error))
    target.refresh_from_db()
    there = {end.model: end for end in answer.routes} if answer else {}
    models = [ModelPair(model=name, here=here.get(name), there=there.get(name)) for name in sorted({*here, *there})]
    warnings = [*_matching_differs(target, answer.matching), *_rules_differ(target, models)] if answer else []
    asked_at = clock.now().isoformat(timespec="seconds")
    return Pair(target=target, asked_at=asked_at, problem=problem, models=models, warnings=warnings)


def _ask(peer: PeerClient) -> Status:
    try:
        return Status.model_validate(peer.get("status"))
    except ValidationError as error:
        raise peer.invalid_answer() from error


def _matching_differs(target: Target, there: str) -> Iterator[str]:
    if there != target.matching:
        text = _(
            "At the first matching %(node)s goes by '%(here)s', %(peer)s by '%(there)s': one end decides automatically "
            "what the other asks a person about."
        )
        words = {"node": settings.NODE, "here": target.matching, "peer": target.peer_node, "there": there}
        yield text % words


def _rules_differ(target: Target, models: list[ModelPair]) -> Iterator[str]:
    for both in models:
        here, there = both.here, both.there
        if here is None or there is None:
            missing = settings.NODE if here is None else target.peer_node
            yield _("%(model)s: %(node)s has no route for it.") % {"model": both.model, "node": missing}
            continue
        if here.shared != there.shared:
            names = ", ".join(sorted({*here.shared} ^ {*there.shared}))
            text = _("%(model)s: only one end shares %(names)s; the two run different versions.")
            yield text % {"model": both.model, "names": names}
        for name in sorted({*here.shared, EXISTS} & {*there.shared, EXISTS}):
            if here.authority.get(name) != there.authority.get(name):
                text = _(
                    "%(model)s: who decides '%(name)s' is %(here)s at %(node)s, but %(there)s at %(peer)s; both ends "
                    "must say the same, else they will differ for ever."
                )
                yield text % {
                    "model": both.model,
                    "name": name,
                    "here": here.authority.get(name) or _("nobody"),
                    "node": settings.NODE,
                    "there": there.authority.get(name) or _("nobody"),
                    "peer": target.peer_node,
                }
