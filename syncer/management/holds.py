"""What the commands sync_hold and sync_release share: the objects they are given, and what is on hold."""

from argparse import ArgumentParser

from syncer.engine.holding import Chosen, chosen_of
from syncer.management.base import JsonObject, SyncCommand, object_named
from syncer.models import Route, Target
from syncer.models.mapping import declarations
from syncer.reports.holds import as_json, listed, on_hold

MOST = 200  # objects that are listed


class HoldCommand(SyncCommand):
    """A command for some objects, at one target or at all of them."""

    takes_target = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("objects", nargs="*", metavar="OBJECT", help="such as news.Post:5")
        parser.add_argument("--target", metavar="NAME", help="only at this target; without it, at all")
        parser.add_argument("--by", metavar="USER", help="who does it, for the pages and the admin's log")

    def where(self, name: str | None) -> Target | None:
        return None if name is None else self.target(name)

    def chosen(self, names: list[str], target: Target | None) -> Chosen:
        """Return the named objects.

        Raises:
            CommandError: one of them has no route.
        """
        routes = Route.objects.all() if target is None else target.routes.all()
        models = sorted(declarations().keys() & set(routes.values_list("model", flat=True)))
        chosen: dict[str, list[str]] = {}
        for name in names:
            model, key = object_named(name, models, "names no object that travels to a target")
            for route, keys in chosen_of(model, [key], targets=None if target is None else [target]).items():
                chosen.setdefault(route, []).extend(keys)
        return chosen


def held_now(target: Target | None) -> JsonObject:
    """Return what is on hold: `{"on_hold": 3, "held": […], "more": 0}`."""
    holds = listed(on_hold(target=target), MOST)
    return {"on_hold": holds.number, "held": as_json(holds.first), "more": holds.number - len(holds.first)}
