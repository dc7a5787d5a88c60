"""Commands of installed packages that would lose changes. Ours stand in their place, for `content.base` comes first."""

from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError
from django.db import models

from content.base.history import HistoryRow


class RefusedCommand(BaseCommand):
    """The base of a command that takes the arguments of the one it replaces, and refuses to run."""

    reason: str

    @property
    def help(self) -> str:  # type: ignore[override]
        return f"Refuses to run. {self.reason}"

    def handle(self, *args: Any, **options: Any) -> NoReturn:
        raise CommandError(self.reason)


def refuse_bookkeeping(model: type[models.Model]) -> None:
    """Let no file write history rows, or the engine's own: a pending change would be overwritten, or count as sent.

    Raises:
        CommandError: `model` is one of these.
    """
    if issubclass(model, HistoryRow) or model._meta.app_label == "syncer":
        raise CommandError(
            f"The file has rows of {model._meta.label}, which the program keeps itself; loaded from a file, they would "
            "hide changes that are still to be sent. Load content only: the database writes its history. To move or "
            "restore a whole database, use the database's own tools."
        )
