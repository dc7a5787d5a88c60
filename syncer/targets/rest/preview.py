"""The preview of a sync with a REST service, field by field."""

from collections.abc import Iterator, Sequence

from backoffice.kit import clock
from syncer.core.decide import Action, Known, can_replay, changes, decide
from syncer.models import Binding, Route
from syncer.models.routemap import RouteMap
from syncer.targets.base import Planned
from syncer.targets.rest.payload import Missing, load


def planned(routes: RouteMap, route: Route, keys: Sequence[str]) -> Iterator[Planned]:
    """Yield the deliveries that a sync of these objects would make."""
    live = load(routes, route, keys)
    bindings = {row.object_key: row for row in Binding.objects.filter(route=route, object_key__in=keys)}
    for key in keys:
        binding = bindings.get(key)
        known = binding.known if binding else Known()
        payload = live[key].payload if key in live else None
        replays = binding is not None and can_replay(
            binding, clock.now(), key_hours=route.key_hours, account=route.target.account
        )
        action = decide(known, payload, can_look_up=bool(route.lookup), can_replay=replays)
        if action is Action.NOTHING:
            continue
        sent = (known.create_body if action is Action.REPLAY else payload) or {}
        old = known.agreed or {}
        yield Planned(
            action=action,
            name=f"{route.model}:{key}",
            record=binding.record if binding else None,
            fields={
                name: (old.get(name), "(its parent's id)" if value is Missing.PARENT else value)
                for name, value in changes(known.agreed, sent).items()
            },
        )
