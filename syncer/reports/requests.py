"""What many edits will cause at the targets at most, counted by the fields that change."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import models

from syncer.models import Route
from syncer.targets.base import kind_of


@dataclass(frozen=True, kw_only=True)
class Requests:
    """The most requests that edits of one model cause at a target: each object is sent once at most."""

    target: str  # as pages name it
    creates: int
    updates: int


def expected_requests(model: type[models.Model], *, new: int, changes: Mapping[frozenset[str], int]) -> list[Requests]:
    """Return what edits will cause, for each target that is sent something.

    Args:
        new: how many objects are added.
        changes: how many objects change which fields, `{frozenset({"title"}): 120}`.
    """
    expected = []
    routes = Route.objects.filter(model=model._meta.label, enabled=True, target__enabled=True)
    for route in routes.select_related("target").order_by("target__name", "pk"):
        relevant = _relevant(route)
        updates = sum(number for fields, number in changes.items() if fields & relevant)
        if new or updates:
            expected.append(Requests(target=str(route.target), creates=new, updates=updates))
    return expected


def _relevant(route: Route) -> set[str]:
    """Return the fields of which a change can matter at the target: those that are sent, and those of the filter."""
    declared = route.declaration
    sent = {source for name in kind_of(route.target).carried(route).values() for source in declared.sources(name)}
    return sent | {lookup.partition("__")[0] for lookup in route.filter}
