"""What many edits will cause at the targets at most, counted by the fields that change."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import models

from syncer.models import Route


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
        updates = sum(number for fields, number in changes.items() if fields & route.sources)
        if new or updates:
            expected.append(Requests(target=str(route.target), creates=new, updates=updates))
    return expected
