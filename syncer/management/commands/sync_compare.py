from argparse import ArgumentParser
from typing import Any

from syncer.management.base import SyncCommand
from syncer.targets.peer.pair.equality import Comparison, compare_all

SHOWN = 20  # objects of a kind


class Command(SyncCommand):
    help = "Compare all objects that a peer shares with us, by digests. Exit status 0: they are equal."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--model", default="", help="only this one, such as orders.Order")

    def answer(self, **options: Any) -> tuple[dict[str, Any], bool]:
        target = self.target(options["target"])
        found = compare_all(target, model=options["model"])
        models = [_told(one) for one in found]
        differs = not all(one.found.is_equal for one in found)
        return {"target": target.name, "equal": not differs, "models": models}, differs or not found

    def text(self, answer: dict[str, Any]) -> str:
        if not answer["models"]:
            return f"{answer['target']} shares nothing of that kind with us."
        return "\n".join(line for one in answer["models"] for line in _lines(one))


def _told(one: Comparison) -> dict[str, Any]:
    found = one.found
    names = ("differing", "only_here", "only_there")
    lists = {name: {key: one.words(key) for key in getattr(found, name)} for name in names}
    numbers = {name: getattr(found, name) for name in ("equal", "more_here", "more_there", "unread", "unasked")}
    return {"model": one.model, **numbers, **lists, "requests": one.requests, "bytes": one.bytes}


def _lines(one: dict[str, Any]) -> list[str]:
    cost = f"{one['requests']} requests, {one['bytes']} bytes"
    differing, here, there = one["differing"], one["only_here"], one["only_there"]
    rest = one["more_here"] + one["more_there"] + one["unread"] + one["unasked"]
    if not (differing or here or there or rest):
        return [f"{one['model']}: {one['equal']} objects, all equal ({cost})."]
    numbers = f"{one['equal']} objects are equal, {len(differing)} differ"
    only = f"{len(here) + one['more_here']} are only here, {len(there) + one['more_there']} only there"
    lines = [f"{one['model']}: {numbers}, {only} ({cost})."]
    for title, found in (("differs", differing), ("only here", here), ("only there", there)):
        lines += [f"  {title}: {key}{_why(words)}" for key, words in list(found.items())[:SHOWN]]
        if len(found) > SHOWN:
            lines.append(f"  … and {len(found) - SHOWN} more")
    if one["unread"] or one["unasked"]:
        lines.append(
            f"  Comparison stopped early: up to {one['unread']} objects in ranges that differ, "
            f"and {one['unasked']} ranges, were not compared."
        )
    return lines


def _why(words: list[str]) -> str:
    return f" ({', '.join(words)})" if words else ""
