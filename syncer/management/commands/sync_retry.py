from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from syncer.keys import key_of
from syncer.management.base import SyncCommand
from syncer.mapping import declarations
from syncer.models import Run, Target
from syncer.reports import status
from syncer.runs import Scope, run_here


class Command(SyncCommand):
    help = "Try again at once what failed or was parked. Exit status 0: nothing is left undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--object", help="only this one, such as news.Post:5")

    def answer(self, **options: Any) -> tuple[dict[str, Any], bool]:
        target = self.target(options["target"])
        scope = _one(target, options["object"]) if options["object"] else status.failed(target)
        run = run_here(target, scope=scope)
        retried = sum(len(keys) for keys in scope.values())
        answer = {"target": target.name, "retried": retried, "message": run.message, "counts": run.counts}
        return answer, run.state != Run.State.DONE

    def text(self, answer: dict[str, Any]) -> str:
        return f"Tried {answer['retried']} again. {answer['message']}"


def _one(target: Target, name: str) -> Scope:
    """`news.Post:5` as a scope."""
    model, _, key = name.rpartition(":")
    models = list(target.routes.filter(enabled=True).values_list("model", flat=True))
    if model not in models or not key:
        raise CommandError(f"{name!r} names no object that travels to {target.name}; give {' or '.join(models)}:ID.")
    meta = declarations()[model].model._meta
    try:
        return {model: [key_of(meta.model, meta.pk.to_python(key))]}
    except ValidationError as error:
        raise CommandError(f"{key!r} is no key of {model}: {' '.join(error.messages)}") from error
