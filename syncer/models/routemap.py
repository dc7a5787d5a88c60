"""The routes of one target and how they hang together: parents, children, and which objects are to exist there."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from syncer.core.errors import TargetStoppedError
from syncer.core.order import parents_first
from syncer.models import Binding, Route, Target
from syncer.models.keys import as_pk
from syncer.models.mapping import declarations


@dataclass(frozen=True)
class Link:
    """A mapped foreign key: records of `child` name the record of `parent` in `field`.

    `parent` is None where that model has no route to this target; nothing can be sent then.
    """

    child: Route
    field: str
    parent: Route | None


class RouteMap:
    """Loaded once a run. A route that is off sends nothing, but its records are still its children's parents."""

    def __init__(self, target: Target) -> None:
        """Raises TargetStoppedError where a route's domain is not installed any more."""
        self.target = target
        routes = {route.model: route for route in target.routes.all()}
        for route in routes.values():
            route.target = target
            if route.model not in declarations():
                raise TargetStoppedError(f"carries {route.model}, which is not installed here; delete that route")
        self._routes = routes

    @cached_property
    def links(self) -> list[Link]:
        """Every mapped foreign key."""
        return [
            Link(child=route, field=name, parent=self._routes.get(related))
            for route in self._routes.values()
            for name in (route.shared if self.target.is_peer else route.fields.values())
            if (related := _related(route.declaration.model, name))
        ]

    def links_up(self, route: Route) -> list[Link]:
        """What records of `route` need first."""
        return [link for link in self.links if link.child == route]

    def links_down(self, route: Route) -> list[Link]:
        """What hangs under records of `route`."""
        return [link for link in self.links if link.parent == route]

    @cached_property
    def ordered(self) -> list[Route]:
        """Every route, parents before children."""
        above = {
            model: {link.parent.model for link in self.links_up(route) if link.parent}
            for model, route in self._routes.items()
        }
        return [self._routes[model] for model in parents_first(above)]

    @property
    def parents_first(self) -> list[Route]:
        """The routes that send, parents before children."""
        return [route for route in self.ordered if route.enabled]

    def wanted(self, route: Route) -> QuerySet[Any]:
        """The live objects that are to exist at the target: they pass the filter, and so does all above them."""
        found = route.declaration.model._default_manager.filter(**route.filter).order_by()
        for link in self.links_up(route):
            if link.parent and link.parent != route and self._is_filtered(link.parent):
                found = found.filter(**{f"{link.field}__in": self.wanted(link.parent).values("pk")})
        return found

    def _is_filtered(self, route: Route) -> bool:
        above = [link.parent for link in self.links_up(route) if link.parent and link.parent != route]
        return bool(route.filter) or any(self._is_filtered(parent) for parent in above)

    def is_wanted(self, route: Route) -> Exists:
        """For a queryset of `route`'s bindings: the object is to exist at the target."""
        model = route.declaration.model
        return Exists(self.wanted(route).filter(pk=as_pk(model, OuterRef("object_key"))))

    def waits(self, route: Route) -> Q:
        """For a queryset of `route`'s bindings: a parent must be made first, or a child deleted first."""
        condition = Q(pk__in=[])
        for link in self.links_up(route):
            condition |= Q(self._parent_is_missing(link))
        if self.links_down(route):
            condition |= Q(remote_id__isnull=False) & ~Q(self.is_wanted(route)) & Q(_has_children())
        return condition

    def with_children(self, route: Route, found: list[int]) -> set[int]:
        """Those of `found`, bindings of `route`, whose records must not be deleted yet: a child has one, or may."""
        if not found or not self.links_down(route):
            return set()
        return set(Binding.objects.filter(Q(_has_children()), pk__in=found).values_list("pk", flat=True))

    def _parent_is_missing(self, link: Link) -> Exists:
        """A child that is to exist waits while its parent's remote id is not known and settled."""
        model = link.child.declaration.model
        ready = Binding.objects.filter(
            route=link.parent,
            object_key=Cast(OuterRef(f"{link.field}_id"), models.CharField()),
            remote_id__isnull=False,
            unconfirmed=False,
        )
        orphans = self.wanted(link.child).filter(**{f"{link.field}__isnull": False}).exclude(Exists(ready))
        return Exists(orphans.filter(pk=as_pk(model, OuterRef("object_key"))))


def _has_children() -> Exists:
    """A parent that is to be deleted waits while a child has a record, or may have one."""
    children = Binding.objects.filter(parent=OuterRef("pk"))
    return Exists(children.filter(Q(remote_id__isnull=False) | Q(create_key__isnull=False)))


def _related(model: type[models.Model], field: str) -> str | None:
    """The label of the model that a foreign key points to; None for other fields."""
    related = model._meta.get_field(field).related_model
    return related._meta.label if isinstance(related, type) and issubclass(related, models.Model) else None
