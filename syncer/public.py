"""The engine's interface for `content` and `backoffice`: data, no HTML."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
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
from syncer.reports.choosing import in_state
from syncer.reports.following import Edit, Loss, are_moving, following, losses, named_numbers, restoring
from syncer.reports.overview import Overview, overview
from syncer.reports.progress import runs_url
from syncer.reports.sending import sent
from syncer.reports.states import ObjectState, object_states
from syncer.reports.words import meaning
from syncer.targets.base import kinds

__all__ = [
    "ASK",
    "EXISTS",
    "SYNC_PERMISSION",
    "Edit",
    "Erased",
    "Loss",
    "ObjectState",
    "Run",
    "State",
    "Target",
    "are_moving",
    "declare",
    "erase_objects",
    "follow",
    "following",
    "in_state",
    "losses",
    "meaning",
    "named_numbers",
    "object_states",
    "operators_router",
    "overviews",
    "restoring",
    "routers",
    "runs_url",
    "sent",
    "sync_bindings",
    "sync_objects",
    "sync_target",
    "targets_of",
]


def targets_of(model: type[models.Model]) -> list[Target]:
    """Return the enabled targets to which `model` is synced."""
    return list(Target.objects.filter(enabled=True, routes__model=model._meta.label, routes__enabled=True).distinct())


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


def overviews() -> list[Overview]:
    """Return the state of every target at this moment."""
    return [overview(target) for target in Target.objects.all()]


def routers() -> list[Router]:
    """Return the parts of the API that targets call, under `/sync/`."""
    return [router for kind in kinds().values() for router in kind.routers()]


def operators_router() -> Router:
    """Return the part of the API for programs of operators, under `/sync/`."""
    from syncer.api import router  # here, so that a worker does not load the API

    return router
