from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from backoffice.operations.backup import restore
from backoffice.operations.errors import BackupError


class Command(BaseCommand):
    help = (
        "Restore a file of `backup` into an empty database, or with --replace in place of all that is there. Stop the "
        "web server and the worker first."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the file of the backup")
        parser.add_argument("--replace", action="store_true", help="lose what the database holds now")
        parser.add_argument("--node", default=settings.NODE, help="the node that it is a backup of (default: this one)")

    def handle(self, *, file: Path, replace: bool, node: str, **_: object) -> None:
        try:
            manifest, missing = restore(file, node=node, replace=replace)
        except BackupError as error:
            raise CommandError(f"Nothing was restored. {error}") from error
        self.stdout.write(f"Restored: {manifest.node}, as of {manifest.taken_at}.")
        steps = [f"manage.py migrate ({missing} migrations to apply)"] if missing else []
        steps += ["manage.py check_history", "manage.py sync_recover", "start the web server and the worker"]
        self.stdout.write(f"Next: {'; '.join(steps)}. See docs/operating.md, “After a restore”.")
