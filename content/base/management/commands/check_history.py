"""`manage.py check_history`: find and record changes that were written while the history triggers were off."""

from argparse import ArgumentParser
from collections import Counter
from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.models import Model

from content.base.history import audit, triggers
from content.base.history.tables import recorded, recorded_models

NAMED = 20  # rows of each model that are written by name
WORDS = {"+": "made", "~": "changed", "-": "deleted"}


class Command(BaseCommand):
    help = (
        "Compare every row of content with its newest history row: what was written while the triggers were off, in a "
        "migration or a restore for example, no target has heard of. Exit status 0: nothing, or it was recorded."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", nargs="*", help="such as news.Post; none: all that have history")
        help_text = "write the history that is missing, so that it travels"
        parser.add_argument("--record", action="store_true", help=help_text)

    def handle(self, *_args: object, record: bool, **options: Any) -> None:
        models = {model._meta.label: model for model in recorded_models()}
        for label in options["model"]:
            if label not in models:
                raise CommandError(f"{label!r} is not a model with history; there are: {', '.join(sorted(models))}.")
        if faults := triggers.faults(connection):
            raise CommandError(f"Triggers are missing, or not as they should be: {', '.join(faults)}. {triggers.CURE}")
        rows = sum(self._check(models[label], record=record) for label in options["model"] or sorted(models))
        if rows and not record:
            raise CommandError(f"{rows} rows have no history. To record them: manage.py check_history --record.")
        self.stdout.write(f"{rows} rows were recorded." if rows else "Every row is as its history says.")

    def _check(self, model: type[Model], *, record: bool) -> int:
        """Write the names of the first rows that differ from their history, and return the number of all."""
        pages = audit.pages(recorded(model, connection), connection, record=record)
        kinds: Counter[str] = Counter()
        for number, (key, kind) in enumerate(chain.from_iterable(pages)):
            kinds[WORDS[kind]] += 1
            if number < NAMED:
                self.stdout.write(f"{model._meta.label} {key} was {WORDS[kind]} without history.")
        for word, number in kinds.items():
            self.stdout.write(f"{model._meta.label}: {number} {word} without history.")
        return kinds.total()
