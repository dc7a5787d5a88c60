from argparse import ArgumentParser

from syncer.management.base import JsonObject, SyncCommand
from syncer.targets.peer.matching import look as matching

SHOWN = 20  # pairs of a kind


class Command(SyncCommand):
    help = (
        "Show what two nodes that both have data would make of each other's objects. "
        "Exit status 0: nothing has to be said before they travel."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        choices = parser.add_mutually_exclusive_group()
        choices.add_argument(
            "--match",
            action="store_true",
            help="give our objects the keys of the peer's that have the same natural key; at one end of a pair only",
        )
        choices.add_argument(
            "--by-key", action="store_true", help="objects with different keys are different; let them travel"
        )

    def answer(self, *, target: str, match: bool, by_key: bool, **_: object) -> tuple[JsonObject, bool]:
        peer = self.target(target)
        if by_key:
            matching.by_key(peer)
        previews = matching.match(peer) if match else matching.preview(peer)
        undone = peer.routes.filter(enabled=True, matched_at=None).exclude(lookup=[]).exists()
        models = [dict(matching.as_json(preview)) for preview in previews]
        return {"target": target, "matched": not undone, "models": models}, undone

    def text(self, answer: JsonObject) -> str:
        lines = [line for model in answer["models"] for line in _lines(model)]
        if not lines:
            return "There is no route that shares anything with this peer."
        if not answer["matched"]:
            lines.append(
                "Nothing travels yet. “--match” gives our objects the keys of those they are the same as; "
                "“--by-key” lets all travel as they are."
            )
        return "\n".join(lines)


def _lines(model: JsonObject) -> list[str]:
    both = f"{model['equal']} objects are equal, {model['differ']} have one key and differ"
    lines = [f"{model['model']}: {both}, {model['only_here']} are only here, {model['only_there']} only there."]
    for key, fields in model["differing"].items():
        lines.append(f"  {key} differs:")
        for name, (here, there, decider) in fields.items():
            lines.append(f"    {name}: here {here!r}, there {there!r}; decides: {decider}")
    lines += [f"  the same by its natural key: {here} here, {there} there" for here, there in _first(model["pairs"])]
    if len(model["pairs"]) > SHOWN:
        lines.append(f"  … and {len(model['pairs']) - SHOWN} more such pairs")
    lines += [
        f"  can't be matched: {here} was shared with a peer already; there it would be {there}"
        for here, there in _first(model["shared"])
    ]
    lines += [
        f"  can't be told apart by {natural}: {', '.join(here)} here, {', '.join(there)} there"
        for natural, here, there in model["ambiguous"][:SHOWN]
    ]
    return lines


def _first(pairs: dict[str, str]) -> list[tuple[str, str]]:
    return list(pairs.items())[:SHOWN]
