"""Refuse commands of installed packages that would lose changes. `content.base` is installed first, so ours win."""

from typing import NoReturn

from django.core.management.base import BaseCommand, CommandError
from django.db import models

from content.base.history import HistoryRow


class RefusedCommand(BaseCommand):
    """The base of a command that accepts the arguments of the command it replaces, and refuses to run."""

    reason: str

    @property
    def help(self) -> str:  # type: ignore[override]
        return f"Refuses to run. {self.reason}"

    def handle(self, *_args: object, **_options: object) -> NoReturn:
        raise CommandError(self.reason)


def refuse_bookkeeping(model: type[models.Model]) -> None:
    """Refuse to load rows of history or of the engine: they could overwrite a pending change or mark it as sent.

    Raises:
        CommandError: `model` is one of these.
    """
    if issubclass(model, HistoryRow) or model._meta.app_label == "syncer":
        raise CommandError(
            f"The file has rows of {model._meta.label}, which the program keeps itself; loaded from a file, they would "
            "hide changes that are still to be sent. Load content only: the database writes its history. To move or "
            "restore a whole database, use the database's own tools."
        )
