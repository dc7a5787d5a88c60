"""What saving a changed route will cause at its target: the form and `sync_configure` say so before it is saved."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db.models import CharField, Exists, OuterRef
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from backoffice.kit.batches import batched
from syncer.core.ceiling import is_too_many
from syncer.core.decide import Action
from syncer.core.errors import SyncError
from syncer.models import Binding, Route
from syncer.models.routemap import RouteMap
from syncer.targets.base import kind_of

PAGE = 500  # objects
COMPARED = 20_000  # objects whose fields are compared, about a second of work; there may be more changes


@dataclass(frozen=True, kw_only=True)
class Effects:
    """The deliveries that are due at one route, with those of before the change."""

    route: Route
    held: int = 0  # records at the target
    deletes: int = 0
    creates: int = 0
    changes: int = 0
    is_more: bool = False  # whether there may be more changes than were counted

    @property
    def waits(self) -> bool:
        """Whether the deletes are so many that a person is asked again before they are sent."""
        return is_too_many(self.deletes, held=self.held, limit=self.route.max_deletes)

    def exceed(self, other: "Effects") -> bool:
        """Return whether there is more of anything than in `other`."""
        return self.deletes > other.deletes or self.creates > other.creates or self.changes > other.changes

    def __str__(self) -> str:
        text = _(
            "delete %(deletes)s of %(held)s records of %(model)s at %(target)s, create %(creates)s, change %(changes)s"
        )
        words = {
            "deletes": self.deletes,
            "held": self.held,
            "model": self.route.model,
            "target": self.route.target,
            "creates": self.creates,
            "changes": _("more than %(number)s") % {"number": self.changes} if self.is_more else self.changes,
        }
        waits = _("(the deletes are so many that they wait until a person has reviewed them)")
        return " ".join(filter(None, (text % words, waits if self.waits else "")))


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What the next sync does because of a changed route that it would not do without the change."""

    effects: list[Effects] = field(default_factory=list)  # of the route, and of those whose records hang under it
    moved: str = ""  # the path under which the records are expected, if that changes

    def __bool__(self) -> bool:
        return bool(self.effects or self.moved)

    def __str__(self) -> str:
        """What it does, to follow "the next sync will"; a second sentence where the path changes."""
        does = _("; and ").join(map(str, self.effects)) or _("send nothing")
        if not self.moved:
            return does
        text = _("%(does)s. The records that are there are expected under %(path)s")
        return text % {"does": does, "path": self.moved}

    @property
    def on_saving(self) -> str:
        """The whole sentence, for somebody who is about to save the route."""
        return _("Saving this will %(effects)s.") % {"effects": self}


def forecast(route: Route, *, beside: Iterable[Route] = ()) -> Forecast:
    """Return what saving a changed route will cause; nothing for a new one, one that is off, and a peer's.

    Args:
        route: valid, with the new values, not saved.
        beside: other routes of the target that are saved with it.
    """
    stored = Route.objects.filter(pk=route.pk).select_related("target").first() if route.pk else None
    if stored is None or stored.model != route.model or stored.target_id != route.target_id or not route.enabled:
        return Forecast()
    if kind_of(route.target).is_two_way or not Binding.objects.filter(route=route).exists():
        return Forecast()
    is_same = stored.enabled and stored.current_fingerprint() == route.current_fingerprint()
    moved = "" if (stored.path, stored.item_path) == (route.path, route.item_path) else route.item_path or route.path
    if is_same and not moved:
        return Forecast()
    try:
        before = {effects.route: effects for effects in _effects(RouteMap(route.target), stored)}
        known = [other for other in beside if other.pk is not None]
        after = list(_effects(RouteMap(route.target, unsaved=[*known, route]), route))
    except SyncError:  # nothing is sent then; the run says why
        return Forecast()
    nothing = Effects(route=route)
    caused = [one for one in after if one.exceed(before.get(one.route, nothing) if stored.enabled else nothing)]
    return Forecast(effects=caused, moved=moved)


def _effects(routes: RouteMap, route: Route) -> Iterator[Effects]:
    """Yield what is due at the route, then what is due at the routes whose records hang under it."""
    for one in dict.fromkeys(_with_routes_below(routes, route)):
        changes, is_more = _changes(routes, route) if one == route else (0, False)
        yield _counted(routes, one, changes, is_more=is_more)


def _with_routes_below(routes: RouteMap, route: Route) -> Iterator[Route]:
    yield route
    for link in routes.links_down(route):
        if link.child != route and link.child.enabled and link.child.pk is not None:
            yield from _with_routes_below(routes, link.child)


def _counted(routes: RouteMap, route: Route, changes: int, *, is_more: bool) -> Effects:
    bound = Binding.objects.filter(route=route, remote_id__isnull=False)
    there = bound.filter(object_key=Cast(OuterRef("pk"), CharField()))
    return Effects(
        route=route,
        held=bound.count(),
        deletes=bound.filter(routes.deletes(route)).count(),
        creates=routes.wanted(route).exclude(Exists(there)).count(),
        changes=changes,
        is_more=is_more,
    )


def _changes(routes: RouteMap, route: Route) -> tuple[int, bool]:
    """Return how many records would be changed, and whether there were too many objects to compare them all."""
    bound = Binding.objects.filter(route=route, remote_id__isnull=False).order_by("pk")
    keys = list(bound.values_list("object_key", flat=True)[: COMPARED + 1])
    kind, number = kind_of(route.target), 0
    for some in batched(keys[:COMPARED], PAGE):
        number += sum(planned.action is Action.UPDATE for planned in kind.preview(routes, route, some))
    return number, len(keys) > COMPARED
