from argparse import ArgumentParser

from syncer.management.base import JsonObject, SyncCommand
from syncer.targets.peer.pair.equality import Comparison, compare_all

SHOWN = 20  # objects of a kind


class Command(SyncCommand):
    help = "Compare all objects that a peer shares with us, by digests. Exit status 0: they are equal."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--model", default="", help="only this one, such as orders.Order")

    def answer(self, *, target: str, model: str, **_: object) -> tuple[JsonObject, bool]:
        comparisons = compare_all(self.target(target), model=model)
        models = [_as_json(comparison) for comparison in comparisons]
        differs = not all(comparison.differences.is_equal for comparison in comparisons)
        return {"target": target, "equal": not differs, "models": models}, differs or not comparisons

    def text(self, answer: JsonObject) -> str:
        if not answer["models"]:
            return f"{answer['target']} shares nothing of that kind with us."
        return "\n".join(line for model in answer["models"] for line in _lines(model))


def _as_json(comparison: Comparison) -> JsonObject:
    differences = comparison.differences
    names = ("differing", "only_here", "only_there")
    lists = {name: {key: comparison.words(key) for key in getattr(differences, name)} for name in names}
    numbers = {name: getattr(differences, name) for name in ("equal", "more_here", "more_there", "unread", "unasked")}
    cost = {"requests": comparison.requests, "bytes": comparison.bytes}
    return {"model": comparison.model, **numbers, **lists, **cost}


def _lines(model: JsonObject) -> list[str]:
    cost = f"{model['requests']} requests, {model['bytes']} bytes"
    differing, here, there = model["differing"], model["only_here"], model["only_there"]
    rest = model["more_here"] + model["more_there"] + model["unread"] + model["unasked"]
    if not (differing or here or there or rest):
        return [f"{model['model']}: {model['equal']} objects, all equal ({cost})."]
    numbers = f"{model['equal']} objects are equal, {len(differing)} differ"
    only = f"{len(here) + model['more_here']} are only here, {len(there) + model['more_there']} only there"
    lines = [f"{model['model']}: {numbers}, {only} ({cost})."]
    for title, objects in (("differs", differing), ("only here", here), ("only there", there)):
        for key, reasons in list(objects.items())[:SHOWN]:
            why = f" ({', '.join(reasons)})" if reasons else ""
            lines.append(f"  {title}: {key}{why}")
        if len(objects) > SHOWN:
            lines.append(f"  … and {len(objects) - SHOWN} more")
    if model["unread"] or model["unasked"]:
        lines.append(
            f"  Comparison stopped early: up to {model['unread']} objects in ranges that differ, "
            f"and {model['unasked']} ranges, were not compared."
        )
    return lines
