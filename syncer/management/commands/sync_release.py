from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from syncer.engine import holding
from syncer.engine.holding import bindings_of
from syncer.management.base import JsonObject
from syncer.management.holds import HoldCommand
from syncer.reports.holds import on_hold


class Command(HoldCommand):
    help = "Release objects that are on hold: what they were kept from is sent by the worker, or by sync_now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--everything", action="store_true", help="all that is on hold, at --target or everywhere")

    def answer(self, **options: Any) -> tuple[JsonObject, bool]:
        target, user = self.where(options["target"]), self.user(options["by"])
        if bool(options["objects"]) is options["everything"]:
            raise CommandError("Name the objects, such as news.Post:5, or give --everything.")
        everything = options["everything"]
        chosen = bindings_of(on_hold(target=target)) if everything else self.chosen(options["objects"], target)
        released = holding.release(chosen, user=user)
        return {"released": released.number, "due": released.due}, False

    def text(self, answer: JsonObject) -> str:
        return f"Released, counted at each target: {answer['released']}. With a change to send: {answer['due']}."
