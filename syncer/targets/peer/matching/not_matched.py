"""Routes that nothing travels by yet: objects that both ends had already are to be matched first, by `sync_match`."""

from collections.abc import Iterable

from syncer.core.errors import TargetStoppedError
from syncer.models import Route


def why(route: Route) -> str:
    """What a person has to do first; empty: nothing."""
    if route.is_matched:
        return ""
    return (
        f"{route.model} has not met {route.target.peer_node}: what both ends had already could be there twice. "
        f"Look at it, and say how objects are matched: manage.py sync_match {route.target.name}"
    )


def refuse(routes: Iterable[Route]) -> None:
    """See that objects may travel.

    Raises:
        TargetStoppedError: of one route they may not.
    """
    for route in routes:
        if text := why(route):
            raise TargetStoppedError(text)
