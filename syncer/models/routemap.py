"""The routes of one target with their dependencies: parents, children, and the objects that are to exist there."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from backoffice.kit.lease import is_free
from backoffice.kit.phrases import phrase
from backoffice.kit.statements import Slot
from syncer.core.errors import TargetStoppedError
from syncer.models import mark
from syncer.models.binding import DUE, UNBLOCKED, Binding
from syncer.models.keys import as_pk, key_of
from syncer.models.route import Route
from syncer.models.target import Target
from syncer.targets.base import kind_of


@dataclass(frozen=True)
class Link:
    """A mapped foreign key: records of `child` refer to a record of `parent` in `field`.

    `parent` is None where that model has no route to the target, so that nothing can be sent.
    """

    child: Route
    field: str
    parent: Route | None


@dataclass(frozen=True, kw_only=True)
class Parent:
    """A parent's binding, and its record's id as JSON text; None while the id is not certain."""

    binding: int
    remote_id: str | None


class RouteMap:
    """The routes of a target, loaded once per run.

    A disabled route sends nothing, but its records are still the parents of its children. Two maps are equal if their
    conditions on bindings are, so that statements made for the one serve the other.
    """

    def __init__(self, target: Target, *, unsaved: Iterable[Route] = ()) -> None:
        """Load the routes; those that are `unsaved` replace the stored ones of their models.

        Raises:
            TargetStoppedError: the domain of a route is not installed any more.
        """
        self.target = target
        routes = {route.model: route for route in (*target.routes.all(), *unsaved)}
        for route in routes.values():
            route.target = target
            _ = route.declaration  # it refuses a model that is not installed
        self._routes = routes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RouteMap) and self._conditions == other._conditions

    def __hash__(self) -> int:
        return hash(self._conditions)

    @cached_property
    def _conditions(self) -> str:
        """All that the conditions on bindings are made from, as JSON."""
        carried = kind_of(self.target).carried
        routes = [[route.pk, model, route.filter, carried(route)] for model, route in sorted(self._routes.items())]
        return json.dumps(routes, default=str)

    @cached_property
    def database(self) -> str:
        """The identity of the database that a run of these routes began in; see `claim`."""
        return mark.database()

    @cached_property
    def links(self) -> list[Link]:
        """Every mapped foreign key."""
        return [
            Link(child=route, field=name, parent=self._routes.get(related))
            for route in self._routes.values()
            for name in kind_of(self.target).carried(route).values()
            if name not in route.declaration.computed and (related := _related(route.declaration.model, name))
        ]

    def links_up(self, route: Route) -> list[Link]:
        return [link for link in self.links if link.child == route]

    def links_down(self, route: Route) -> list[Link]:
        return [link for link in self.links if link.parent == route]

    @cached_property
    def ordered(self) -> list[Route]:
        """Every route, parents before children.

        Raises:
            TargetStoppedError: models are each other's parents.
        """
        above = {
            model: {link.parent.model for link in self.links_up(route) if link.parent and link.parent != route}
            for model, route in self._routes.items()
        }
        try:
            return [self._routes[model] for model in TopologicalSorter(above).static_order()]
        except CycleError as error:
            names = ", ".join(dict.fromkeys(error.args[1]))
            why = phrase(
                "%(target)s carries models that are each other's parents: %(names)s",
                target=str(self.target),
                names=names,
            )
            raise TargetStoppedError(why) from error

    @property
    def parents_first(self) -> list[Route]:
        """The enabled routes, parents before children."""
        return [route for route in self.ordered if route.enabled]

    def wanted(self, route: Route) -> QuerySet[models.Model]:
        """Return the live objects that are to exist at the target: they and all their ancestors pass the filters."""
        objects = route.declaration.model._default_manager.filter(**route.filter).order_by()
        for link in self.links_up(route):
            if link.parent and link.parent != route and self._is_filtered(link.parent):
                objects = objects.filter(**{f"{link.field}__in": self.wanted(link.parent).values("pk")})
        return objects

    def _is_filtered(self, route: Route) -> bool:
        above = [link.parent for link in self.links_up(route) if link.parent and link.parent != route]
        return bool(route.filter) or any(self._is_filtered(parent) for parent in above)

    def is_wanted(self, route: Route) -> Exists:
        """Return the condition, for a queryset of `route`'s bindings, that the object is to exist at the target."""
        model = route.declaration.model
        return Exists(self.wanted(route).filter(pk=as_pk(model, OuterRef("object_key"))))

    def deletes(self, route: Route) -> Q:
        """Return the condition, for a queryset of `route`'s bindings, that the delivery would delete a record."""
        return Q(remote_id__isnull=False) & ~Q(self.is_wanted(route))

    def waits(self, route: Route) -> Q:
        """Return the condition, for a queryset of `route`'s bindings, that a parent or a child must be sent first.

        A child that is to exist waits for its parent's record; a parent that is to be deleted waits for its children.
        """
        condition = Q(pk__in=[])
        for link in self.links_up(route):
            condition |= Q(self._parent_is_missing(link))
        if self.links_down(route):
            condition |= self.deletes(route) & Q(_has_children())
        return condition

    def claimable(self, route: Route, now: datetime | Slot) -> QuerySet[Binding]:
        """Return the bindings that a worker may take now. The conditions are evaluated here and stored nowhere."""
        return Binding.objects.filter(claimable(now), ~self.waits(route), route=route)

    def with_children(self, route: Route, bindings: list[int]) -> set[int]:
        """Return which of these bindings must not lose their records yet: a child has a record, or may have one."""
        if not bindings or not self.links_down(route):
            return set()
        return set(Binding.objects.filter(Q(_has_children()), pk__in=bindings).values_list("pk", flat=True))

    def parents(self, link: Link, pks: set[Any]) -> dict[Any, Parent]:
        """Return the parents of a link by the primary key of their object; those without a binding are left out."""
        if link.parent is None:
            return {}
        pk_of = {key_of(link.parent.declaration.model, pk): pk for pk in pks}
        bindings = Binding.objects.filter(route=link.parent, object_key__in=pk_of)
        return {
            pk_of[key]: Parent(binding=pk, remote_id=None if unconfirmed else remote_id)
            for pk, key, remote_id, unconfirmed in bindings.values_list("pk", "object_key", "remote_id", "unconfirmed")
        }

    def parent_bindings(self, route: Route, rows: Iterable[models.Model]) -> dict[str, int]:
        """Return the bindings of the parents of these objects of `route`, `{"object key": binding's primary key}`."""
        link = next((link for link in self.links_up(route) if link.field == route.declaration.parent), None)
        if link is None:
            return {}
        model = route.declaration.model
        parent_pks = {key_of(model, row.pk): getattr(row, f"{link.field}_id") for row in rows}
        parents = self.parents(link, set(parent_pks.values()) - {None})
        return {key: parents[pk].binding for key, pk in parent_pks.items() if pk in parents}

    def _parent_is_missing(self, link: Link) -> Exists:
        """Return the condition that a child is to exist, but its parent's remote id is unknown or unconfirmed."""
        model = link.child.declaration.model
        ready = Binding.objects.filter(
            route=link.parent,
            object_key=Cast(OuterRef(f"{link.field}_id"), models.CharField()),
            remote_id__isnull=False,
            unconfirmed=False,
        )
        orphans = self.wanted(link.child).filter(**{f"{link.field}__isnull": False}).exclude(Exists(ready))
        return Exists(orphans.filter(pk=as_pk(model, OuterRef("object_key"))))


def claimable(now: datetime | Slot) -> Q:
    """Return the condition for bindings that `core.state.is_claimable` accepts."""
    return DUE & UNBLOCKED & is_free(now) & (Q(not_before=None) | Q(not_before__lte=now))


def _has_children() -> Exists:
    """Return the condition, for a queryset of bindings, that a child has a record, or may have one."""
    children = Binding.objects.filter(parent=OuterRef("pk"))
    return Exists(children.filter(Q(remote_id__isnull=False) | Q(create_body__isnull=False)))


def _related(model: type[models.Model], field: str) -> str | None:
    """Return the label of the model that a foreign key points to; None for other fields."""
    related = model._meta.get_field(field).related_model
    return related._meta.label if isinstance(related, type) and issubclass(related, models.Model) else None
