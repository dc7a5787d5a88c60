from argparse import ArgumentParser
from dataclasses import asdict

from syncer.management.base import JsonObject, SyncCommand
from syncer.recovery.failover import go_on
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
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--check", action="store_true", help="say what would be done, write nothing")
        how.add_argument(
            "--nothing-lost",
            action="store_true",
            help="go on without comparing: this is a standby that was promoted, and it has every commit that was "
            "acknowledged (synchronous replication)",
        )

    def answer(self, *, check: bool, nothing_lost: bool, **_: object) -> tuple[JsonObject, bool]:
        if nothing_lost:
            return {"written": True, "moved": go_on()}, False
        routes = survey() if check else recover()
        answer: JsonObject = {"written": not check, "routes": [asdict(route) for route in routes]}
        if any(route.peer for route in routes) and not check:
            answer["writer"] = identity.writer()
        return answer, check and any(route.problem for route in routes)

    def text(self, answer: JsonObject) -> str:
        if "moved" in answer:
            return f"Routes that go on here: {answer['moved']}. Nothing is compared again."
        if not answer["routes"]:
            return "There is no target with a route, so there is nothing to compare."
        lines = [_line(route) for route in answer["routes"]]
        if not answer["written"]:
            problems = [route["problem"] or "This database's own marks." for route in answer["routes"]]
            return "\n".join([*lines, *dict.fromkeys(problems), "Nothing was written."])
        if "writer" in answer:
            lines.append(f"Edits made here are signed {answer['writer']} from now on; peers are informed.")
        return "\n".join([*lines, "All of it is due now; targets that are not paused are sent it by the worker."])


def _line(route: JsonObject) -> str:
    if route["peer"]:
        number = route["bound"] + route["unbound"]
        return (
            f"{route['target']}, {route['model']}: {number} compared; the peer {route['peer']} is sent what it "
            "has not seen, and returns what was lost here."
        )
    missing = (
        "looked up before they are created" if route["can_look_up"] else "left to a person: the route has no lookup"
    )
    return (
        f"{route['target']}, {route['model']}: {route['bound']} with a record there, sent whole or deleted; "
        f"{route['unbound']} without one that is known, {missing}."
    )
