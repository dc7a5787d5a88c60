"""What the sync commands share: a target by name, `--json`, errors without a traceback, an honest exit status."""

import json
import sys
from abc import ABC, abstractmethod
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from syncer.core.errors import SyncError
from syncer.engine.wake import Scope
from syncer.models import Target
from syncer.models.keys import key_of
from syncer.models.mapping import declarations


class SyncCommand(BaseCommand, ABC):
    """A command that answers `(what to say, anything left undone)`; exit status 1 where something is."""

    takes_target = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        if self.takes_target:
            parser.add_argument("target", help="the target's name")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            answer, is_undone = self.answer(**options)
        except SyncError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(answer, indent=2, default=str) if options["json"] else self.text(answer))
        if is_undone:
            sys.exit(1)

    @abstractmethod
    def answer(self, **options: Any) -> tuple[dict[str, Any], bool]:
        """Do it; what to print (the JSON object), and whether something is left undone."""

    @abstractmethod
    def text(self, answer: dict[str, Any]) -> str:
        """`answer` for people."""

    def target(self, name: str) -> Target:
        """The named target.

        Raises:
            CommandError: there is no such target; the message names those there are.
        """
        found = Target.objects.filter(name=name).first()
        if found is None:
            names = ", ".join(Target.objects.values_list("name", flat=True)) or "none yet; make one with sync_configure"
            raise CommandError(f"There is no target {name!r}. There are: {names}.")
        return found

    def one(self, target: Target, name: str) -> Scope:
        """`news.Post:5` as a scope.

        Raises:
            CommandError: it names nothing that travels to the target.
        """
        model, _, key = name.rpartition(":")
        models = list(target.routes.filter(enabled=True).values_list("model", flat=True))
        if model not in models or not key:
            raise CommandError(
                f"{name!r} names no object that travels to {target.name}; give {' or '.join(models)}:ID."
            )
        meta = declarations()[model].model._meta
        try:
            return {model: [key_of(meta.model, meta.pk.to_python(key))]}
        except ValidationError as error:
            raise CommandError(f"{key!r} is not a key of {model}: {' '.join(error.messages)}") from error
