"""The guide of REST services: what the steps of a guided setup ask."""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from backoffice.kit.http import Request
from syncer.engine.sender import Sender
from syncer.models import Route, Target
from syncer.models.routemap import RouteMap
from syncer.targets.guide import Example, Guide, Reached, Sampled
from syncer.targets.rest.payload import load, readable
from syncer.targets.rest.setup import reach, sample, suggest
from syncer.targets.rest.setup.records import ids_of
from syncer.targets.rest.trial import example_of, written


class RestGuide(Guide):
    def reach(self, target: Target) -> Reached:
        return reach.reach(target, signed=False)

    def sign_in(self, target: Target) -> Reached:
        return reach.reach(target, signed=True)

    def likely_paths(self, route: Route) -> list[str]:
        return sample.likely_paths(route)

    def sample(self, route: Route, paths: Sequence[str]) -> Sampled:
        return sample.sample(route, paths)

    def suggest(self, route: Route, values: Mapping[str, Any], example: Example) -> Route:
        return suggest.suggest(route, values, example)

    def example(self, route: Route) -> Example:
        """Return one of our objects as the route would send it, with the values of all fields that could travel."""
        routes = RouteMap(route.target, unsaved=[route])
        name, request = example_of(routes, route)
        if not name:
            return Example()
        key = name.rpartition(":")[2]
        with Sender(route.target) as sender:
            text = written(sender.shown(request)) if isinstance(request, Request) else ""
        return Example(
            name=name,
            values=_values(route, key),
            request=text,
            fault=request if isinstance(request, str) else "",
        )

    def ids(self, values: Mapping[str, Any]) -> list[str]:
        return ids_of(values)

    def written(self, route: Route, name: str, value: object) -> Mapping[str, object]:
        return suggest.written(route, name, value)


def _values(route: Route, key: str) -> Mapping[str, Any]:
    """Return the values of all fields of an object that could travel, as a route would send them without a format."""
    bare = copy(route)
    bare.fields = {name: name for name in route.declaration.mappable}
    bare.values, bare.formats, bare.constants, bare.create_path, bare.own_id = {}, {}, {}, "", ""
    objects = load(RouteMap(route.target, unsaved=[bare]), bare, [key])
    return readable(objects[key].payload) if key in objects else {}
