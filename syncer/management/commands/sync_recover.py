from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from syncer.management.base import SyncCommand
from syncer.recovery.recover import recover, survey
from syncer.targets.peer import identity


class Command(SyncCommand):
    help = (
        "After this database was restored: compare everything with every target again, believing nothing that the "
        "backup says of them. Not for a copy whose original goes on; switch its targets off. Can be repeated. "
        "Exit status 0; with --check 1 where a route has stopped."
    )
    takes_target = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--check", action="store_true", help="say what would be done, write nothing")

    def answer(self, **options: Any) -> tuple[dict[str, Any], bool]:
        found = survey() if options["check"] else recover()
        answer = {"written": not options["check"], "routes": [asdict(one) for one in found]}
        if any(one.peer for one in found) and not options["check"]:
            answer["writer"] = identity.writer()
        return answer, options["check"] and any(one.problem for one in found)

    def text(self, answer: dict[str, Any]) -> str:
        if not answer["routes"]:
            return "There is no target with a route, so there is nothing to compare."
        lines = [_line(one) for one in answer["routes"]]
        if not answer["written"]:
            lines += dict.fromkeys(one["problem"] or "This database's own marks." for one in answer["routes"])
            return "\n".join([*lines, "Nothing was written."])
        if "writer" in answer:
            lines.append(f"Edits made here are signed {answer['writer']} from now on; peers are informed.")
        return "\n".join([*lines, "All of it is due now; targets that are not paused are sent it by the worker."])


def _line(one: dict[str, Any]) -> str:
    if one["peer"]:
        number = one["bound"] + one["unbound"]
        return (
            f"{one['target']}, {one['model']}: {number} compared; the peer {one['peer']} is handed what it has not "
            "seen, and hands back what is lost here."
        )
    missing = "looked for before they are made" if one["can_look_up"] else "left to a person: the route has no lookup"
    return (
        f"{one['target']}, {one['model']}: {one['bound']} with a record there, sent whole or deleted; "
        f"{one['unbound']} without one that is known, {missing}."
    )
