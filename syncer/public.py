"""All that content and the project may ask of the engine: data, no HTML."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import models
from ninja import Router

from syncer.core.merge import ASK, EXISTS
from syncer.core.state import State
from syncer.engine.wake import Scope, wake
from syncer.models import Binding, Run, Target
from syncer.models.keys import key_of
from syncer.models.mapping import declare
from syncer.models.target import SYNC_PERMISSION
from syncer.recovery.erasure import Erased, erase_objects
from syncer.reports import sending, states
from syncer.reports.overview import Overview, overview
from syncer.reports.progress import runs_url
from syncer.reports.states import ObjectState
from syncer.reports.words import meaning
from syncer.targets.base import kinds

__all__ = [
    "ASK",
    "EXISTS",
    "SYNC_PERMISSION",
    "Erased",
    "ObjectState",
    "Run",
    "State",
    "Target",
    "declare",
    "erase_objects",
    "follow",
    "meaning",
    "object_states",
    "overviews",
    "routers",
    "runs_url",
    "sent",
    "sync_bindings",
    "sync_objects",
    "sync_target",
    "targets_of",
]


def object_states(model: type[models.Model], found: Iterable[Any]) -> dict[Any, list[ObjectState]]:
    """The state of the objects with the primary keys `found` at each target: `{pk: [state, …]}`."""
    return states.of_objects(model, found)


def targets_of(model: type[models.Model]) -> list[Target]:
    """The targets that `model` travels to."""
    return list(Target.objects.filter(enabled=True, routes__model=model._meta.label, routes__enabled=True).distinct())


def sync_objects(model: type[models.Model], found: Iterable[Any], *, user: Any) -> list[Run]:
    """Sync the chosen objects now, at each target they travel to; one run a target."""
    scope = {model._meta.label: [key_of(model, pk) for pk in found]}
    return [wake(target=target, trigger=Run.Trigger.MANUAL, user=user, scope=scope) for target in targets_of(model)]


def sent(model: type[models.Model], found: "models.QuerySet[Any, Any]") -> Iterator[list[dict[str, Any]]]:
    """What the targets are known to hold of the objects in `found`, a query of keys, in pages.

    `{"target", "path", "object", "remote_id", "record", "unanswered", "at"}`: `record` is what was sent and accepted,
    `unanswered` what a create sent whose answer was lost.
    """
    return sending.of_objects(model, found)


def sync_target(target: Target, *, user: Any) -> Run:
    """Sync all that is pending at a target now."""
    return wake(target=target, trigger=Run.Trigger.MANUAL, user=user)


def sync_bindings(found: Iterable[Binding], *, user: Any) -> list[Run]:
    """Try the objects behind these bindings again now; one run a target."""
    scopes: dict[Target, Scope] = {}
    for binding in found:
        scopes.setdefault(binding.route.target, {}).setdefault(binding.route.model, []).append(binding.object_key)
    return [wake(target=target, trigger=Run.Trigger.MANUAL, user=user, scope=scope) for target, scope in scopes.items()]


def follow(target: Target) -> None:
    """Let a target whose routes follow changes catch up with what waits."""
    if target.enabled and not target.blocked:
        wake(target=target, trigger=Run.Trigger.CHANGE)


def overviews() -> list[Overview]:
    """Every target at this moment."""
    return [overview(target) for target in Target.objects.all()]


def routers() -> list[Router]:
    """The part of the API that targets ask, under `/sync/`."""
    return [router for kind in kinds().values() for router in kind.routers()]
