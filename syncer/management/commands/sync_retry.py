from argparse import ArgumentParser
from typing import Any

from syncer.engine.runs import run_here
from syncer.management.base import JsonObject, SyncCommand
from syncer.models import Run, backlog


class Command(SyncCommand):
    help = "Try again at once what failed or was rejected. Exit status 0: nothing is left undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--object", help="only this one, such as news.Post:5")

    def answer(self, **options: Any) -> tuple[JsonObject, bool]:
        target = self.target(options["target"])
        scope = self.scope(target, options["object"]) if options["object"] else backlog.failed(target)
        run = run_here(target, scope=scope)
        retried = sum(len(keys) for keys in scope.values())
        answer = {"target": target.name, "retried": retried, "message": run.message, "counts": run.counts}
        return answer, run.state != Run.State.DONE

    def text(self, answer: JsonObject) -> str:
        return f"Tried {answer['retried']} again. {answer['message']}"
