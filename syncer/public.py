"""The engine's interface for `content` and `backoffice`: data, no HTML."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import models
from ninja import Router

from backoffice.kit.jobs.models import Job
from syncer.core.errors import NotPossibleError
from syncer.core.merge import ASK, EXISTS
from syncer.core.state import Health, State
from syncer.engine import many
from syncer.engine.holding import Released, chosen_of
from syncer.engine.wake import Scope, wake
from syncer.models import Binding, Route, Run, Target
from syncer.models.keys import key_of
from syncer.models.mapping import declare
from syncer.models.restore_detection import note_restore
from syncer.models.target import SYNC_PERMISSION
from syncer.recovery.erasure import Erased, erase_objects
from syncer.reports.activity import last_day
from syncer.reports.choosing import in_state
from syncer.reports.figures import Figures, figures
from syncer.reports.following import Edit, Loss, are_moving, following, losses, named_numbers, restoring
from syncer.reports.holds import held, hold_follows, release_follows, released
from syncer.reports.home import home
from syncer.reports.progress import runs_url
from syncer.reports.requests import Requests, expected_requests
from syncer.reports.sending import sent
from syncer.reports.states import ObjectState, object_states
from syncer.reports.waiting import waiting_for
from syncer.reports.words import label, meaning
from syncer.reports.workers import workers_alive
from syncer.targets.base import kinds

__all__ = [
    "ASK",
    "EXISTS",
    "SYNC_PERMISSION",
    "Edit",
    "Erased",
    "Figures",
    "Health",
    "Loss",
    "NotPossibleError",
    "ObjectState",
    "Released",
    "Requests",
    "Run",
    "State",
    "Target",
    "are_moving",
    "declare",
    "erase_objects",
    "expected_requests",
    "figures",
    "follow",
    "following",
    "held",
    "hold_follows",
    "hold_objects",
    "home",
    "in_state",
    "label",
    "last_day",
    "losses",
    "meaning",
    "named_numbers",
    "note_restore",
    "object_states",
    "operators_router",
    "release_follows",
    "release_objects",
    "released",
    "restoring",
    "routers",
    "runs_url",
    "sent",
    "sync_bindings",
    "sync_objects",
    "sync_target",
    "targets_of",
    "targets_with_routes",
    "waiting_for",
    "workers_alive",
]


def targets_of(model: type[models.Model]) -> list[Target]:
    """Return the enabled targets to which `model` is synced."""
    return list(Target.objects.filter(enabled=True, routes__model=model._meta.label, routes__enabled=True).distinct())


def targets_with_routes(model: type[models.Model]) -> list[Target]:
    """Return all targets with a route for `model`, those that are paused or off too."""
    routes = Route.objects.filter(model=model._meta.label)
    return list(Target.objects.filter(pk__in=routes.values("target")))


def hold_objects(
    model: type[models.Model],
    pks: Iterable[Any],
    *,
    reason: str,
    user: AbstractBaseUser | AnonymousUser | None,
    targets: Iterable[Target] | None = None,
) -> int | Job:
    """Hold these objects back, at these targets, or (None) at all; an object that was never sent can be held too.

    Returns:
        How many were not on hold, counted for each target; of very many, the job that holds them.

    Raises:
        NotPossibleError: there is no reason, or it is too long.
    """
    keys = (key_of(model, pk) for pk in pks)
    return many.hold(chosen_of(model._meta.label, keys, targets=targets), reason=reason, user=user)


def release_objects(
    model: type[models.Model],
    pks: Iterable[Any],
    *,
    user: AbstractBaseUser | AnonymousUser | None,
    targets: Iterable[Target] | None = None,
) -> Released | Job:
    """Release these objects; arguments and result as for `hold_objects`."""
    keys = (key_of(model, pk) for pk in pks)
    return many.release(chosen_of(model._meta.label, keys, targets=targets), user=user)


def sync_objects(model: type[models.Model], pks: Iterable[Any], *, user: AbstractBaseUser | AnonymousUser) -> list[Run]:
    """Start a sync of the objects with these primary keys, one run per target of the model."""
    scope = {model._meta.label: [key_of(model, pk) for pk in pks]}
    return [wake(target=target, trigger=Run.Trigger.MANUAL, user=user, scope=scope) for target in targets_of(model)]


def sync_target(target: Target, *, user: AbstractBaseUser | AnonymousUser) -> Run:
    """Start a sync of all pending objects of a target."""
    return wake(target=target, trigger=Run.Trigger.MANUAL, user=user)


def sync_bindings(bindings: Iterable[Binding], *, user: AbstractBaseUser | AnonymousUser) -> list[Run]:
    """Start a sync of the objects of these bindings, one run per target."""
    scopes: dict[Target, Scope] = {}
    for binding in bindings:
        scopes.setdefault(binding.route.target, {}).setdefault(binding.route.model, []).append(binding.object_key)
    return [wake(target=target, trigger=Run.Trigger.MANUAL, user=user, scope=scope) for target, scope in scopes.items()]


def follow(target: Target) -> None:
    """Start a sync of the changes that have waited, for the routes of a target that follow changes."""
    if target.enabled and not target.blocked:
        wake(target=target, trigger=Run.Trigger.CHANGE)


def routers() -> list[Router]:
    """Return the parts of the API that targets call, under `/sync/`."""
    return [router for kind in kinds().values() for router in kind.routers()]


def operators_router() -> Router:
    """Return the part of the API for programs of operators, under `/sync/`."""
    from syncer.api import router  # here, so that a worker does not load the API

    return router
