from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from syncer.management.base import SyncCommand
from syncer.mapping import declarations
from syncer.models import HistoryCheck
from syncer.silent import Look, go_on


class Command(SyncCommand):
    help = (
        "Look for content that was changed without history, by raw SQL for example, so that no target has heard of it. "
        "Exit status 0: there is none, or it was recorded."
    )
    takes_target = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("model", nargs="*", help="such as news.Post; none: all that may travel")
        parser.add_argument(
            "--record", action="store_true", help="write the history that is missing, so that it travels"
        )

    def answer(self, **options: Any) -> tuple[dict[str, Any], bool]:
        labels = options["model"] or sorted(declarations())
        for label in labels:
            if label not in declarations():
                known = ", ".join(sorted(declarations()))
                raise CommandError(f"{label!r} is not a model that may travel; there are: {known}.")
            go_on(Look(model=label, record=options["record"]))
        columns = ("model", "found", "recorded", "sample")
        found = list(HistoryCheck.objects.filter(model__in=labels).values(*columns))
        return {"models": found}, any(one["found"] > one["recorded"] for one in found)

    def text(self, answer: dict[str, Any]) -> str:
        lines = [line for one in answer["models"] if one["found"] for line in _lines(one)]
        return "\n".join(lines) or "Every row is as its history says."


def _lines(one: dict[str, Any]) -> list[str]:
    what = "recorded" if one["recorded"] else "changed without history"
    more = one["found"] - len(one["sample"])
    named = [f"  {one['model']}:{key} was {kind}" for key, kind in one["sample"]]
    return [f"{one['model']}: {one['found']} {what}", *named, *([f"  … and {more} more"] if more > 0 else [])]
