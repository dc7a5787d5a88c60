"""Routes that carry nothing yet: `sync_match` has to match the objects that both ends had already."""

from syncer.models import Route


def why(route: Route) -> str:
    """Return why the route carries nothing yet, and what to do about that; empty if it does carry objects."""
    if route.is_matched:
        return ""
    return (
        f"{route.model} has not met {route.target.peer_node}: what both ends had already could be there twice. "
        f"Look at it, and say how objects are matched: manage.py sync_match {route.target.name}"
    )
