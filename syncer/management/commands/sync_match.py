from argparse import ArgumentParser
from typing import Any

from syncer.management.base import SyncCommand
from syncer.targets.peer.matching import look as matching

SHOWN = 20  # pairs of a kind


class Command(SyncCommand):
    help = (
        "Show what two nodes that both have data would make of each other's objects. "
        "Exit status 0: nothing has to be said before they travel."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        ways = parser.add_mutually_exclusive_group()
        ways.add_argument(
            "--match",
            action="store_true",
            help="give our objects the keys of the peer's that have the same natural key; at one end of a pair only",
        )
        ways.add_argument(
            "--by-key", action="store_true", help="objects with different keys are different; let them travel"
        )

    def answer(self, **options: Any) -> tuple[dict[str, Any], bool]:
        target = self.target(options["target"])
        if options["by_key"]:
            matching.by_key(target)
        found = matching.match(target) if options["match"] else matching.preview(target)
        undone = target.routes.filter(enabled=True, matched_at=None).exclude(lookup=[]).exists()
        return {
            "target": target.name,
            "matched": not undone,
            "models": [dict(matching.as_json(one)) for one in found],
        }, undone

    def text(self, answer: dict[str, Any]) -> str:
        lines = [line for one in answer["models"] for line in _lines(one)]
        if not lines:
            return "There is no route that shares anything with this peer."
        if not answer["matched"]:
            lines.append(
                "Nothing travels yet. “--match” gives our objects the keys of those they are the same as; "
                "“--by-key” lets all travel as they are."
            )
        return "\n".join(lines)


def _lines(one: dict[str, Any]) -> list[str]:
    both = f"{one['equal']} objects are equal, {one['differ']} have one key and differ"
    lines = [f"{one['model']}: {both}, {one['only_here']} are only here, {one['only_there']} only there."]
    for key, fields in one["differing"].items():
        lines.append(f"  {key} differs:")
        lines += [
            f"    {name}: here {here!r}, there {there!r}; decides: {who}" for name, (here, there, who) in fields.items()
        ]
    lines += [f"  the same by its natural key: {here} here, {there} there" for here, there in _first(one["pairs"])]
    if len(one["pairs"]) > SHOWN:
        lines.append(f"  … and {len(one['pairs']) - SHOWN} more such pairs")
    lines += [
        f"  can't be matched: {here} was shared with a peer already; there it would be {there}"
        for here, there in _first(one["shared"])
    ]
    lines += [
        f"  can't be told apart by {natural}: {', '.join(here)} here, {', '.join(there)} there"
        for natural, here, there in one["ambiguous"][:SHOWN]
    ]
    return lines


def _first(found: dict[str, str]) -> list[tuple[str, str]]:
    return list(found.items())[:SHOWN]
