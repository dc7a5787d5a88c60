from argparse import ArgumentParser
from typing import Any

from syncer.engine.cancel import cancel
from syncer.management.base import JsonObject, SyncCommand
from syncer.models import Run


class Command(SyncCommand):
    help = "Cancel the runs of a target: they stop after what is under way; the rest goes with the next sync."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--by", help="the account that decides; it is shown on the run's page")

    def answer(self, **options: Any) -> tuple[JsonObject, bool]:
        target, user = self.target(options["target"]), self.user(options["by"])
        runs = [run for run in target.runs.filter(state__in=Run.OPEN) if cancel(run, user=user)]
        return {"target": target.name, "cancelled": [run.pk for run in runs]}, False

    def text(self, answer: JsonObject) -> str:
        return f"Runs that were cancelled: {len(answer['cancelled'])}."
