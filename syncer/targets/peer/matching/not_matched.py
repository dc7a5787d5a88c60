"""Routes that carry nothing yet: `sync_match` has to match the objects that both ends had already."""

from syncer.models import Route


def why(route: Route) -> str:
    """Return why the route carries nothing yet, and what to do about that; empty if it does carry objects."""
    if route.is_matched:
        return ""
    return (
        f"{route.model} has not been matched with {route.target.peer_node} yet: objects that both ends had already "
        f"could be duplicated. Preview the matching and choose one: manage.py sync_match {route.target.name}"
    )
