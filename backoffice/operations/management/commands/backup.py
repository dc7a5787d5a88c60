from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from backoffice.operations.backup import take
from backoffice.operations.errors import BackupError


class Command(BaseCommand):
    help = (
        "Back up the database and the files that wait for their import, while all goes on, into one file that is "
        "read again before it gets its name. Settings and secrets are not in it."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "path",
            nargs="?",
            type=Path,
            default=Path(settings.VAR_DIR) / "backups",
            help="a new file, which ends in .zip, or a folder (default: backups in BACKOFFICE_VAR)",
        )

    def handle(self, *, path: Path, **_: object) -> None:
        try:
            file = take(path)
        except BackupError as error:
            raise CommandError(f"No backup was made. {error}") from error
        self.stdout.write(f"{file} holds {file.stat().st_size:,} bytes, and was read again whole.")
