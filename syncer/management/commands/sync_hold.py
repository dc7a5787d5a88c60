from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from syncer.engine import holding
from syncer.management.base import JsonObject
from syncer.management.holds import HoldCommand, held_now


class Command(HoldCommand):
    help = (
        "Hold objects back: nothing is sent for them until sync_release; all others go on. Without objects: list what "
        "is on hold."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reason", metavar="TEXT", help="why; shown wherever the object is shown")

    def answer(self, **options: Any) -> tuple[JsonObject, bool]:
        target, user = self.where(options["target"]), self.user(options["by"])
        if not options["objects"]:
            return held_now(target), False
        if not options["reason"]:
            raise CommandError("Give --reason: others have to know why the objects are held back.")
        chosen = self.chosen(options["objects"], target)
        if missing := holding.missing(chosen):
            raise CommandError(f"There is no {', no '.join(missing)}: it is not here, and was never sent.")
        number = holding.hold(chosen, reason=options["reason"], user=user)
        return {"held_now": number}, False

    def text(self, answer: JsonObject) -> str:
        if "held_now" in answer:
            return f"On hold now, counted at each target: {answer['held_now']}."
        lines = [
            f"{one['object']} at {one['target']}: {one['reason'] or 'no reason is known'}"
            f" ({one['by'] or 'a command'}, {one['at'] or 'time not known'})"
            for one in answer["held"]
        ]
        lines += [f"And {answer['more']} more."] if answer["more"] else []
        return "\n".join(lines or ["Nothing is on hold."])
