"""Backups of a node: its database as of one moment, and the files that wait for their import or their download.

What is not in one: settings and secrets, which are the environment's, and static files, which the program brings.
"""

from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfileobj
from types import ModuleType

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from backoffice.kit import waiting_files
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.models import Entry
from backoffice.kit.audit.record import record
from backoffice.operations import postgresql, sqlite
from backoffice.operations.archive import Manifest, Reader, Writer, new_file
from backoffice.operations.errors import IN_USE, BackupError
from syncer.public import workers_alive

ENGINES = {"postgresql": postgresql, "sqlite": sqlite}
UPLOADS = "uploads/"


def take(path: Path) -> Path:
    """Write a backup to the file `path`, or to a new file in the folder `path`, and return the file.

    It gets its name only after all of it was read again, and the database in it was found sound.

    Raises:
        BackupError: there is no backup; the message says why.
    """
    now = datetime.now(UTC)
    if path.is_dir() or not path.suffix:
        path = path / f"{settings.NODE}-{now:%Y%m%dT%H%M%SZ}.zip"
    engine = _engine()
    manifest = Manifest(
        node=settings.NODE,
        taken_at=now.isoformat(timespec="seconds"),
        database=connection.vendor,
        server=engine.server(),
        migrations=_applied(),
        files={},
    )
    with new_file(path) as file:
        with Writer(file) as writer:
            with engine.dump() as stream:
                writer.add(engine.FILE, stream)
            _add_waiting_files(writer)
            writer.finish(manifest)
        if _applied() != manifest.migrations:
            raise BackupError("Migrations were applied meanwhile, so its state is not known. Take it again.")
        with Reader(file).open(engine.FILE) as stream:
            engine.verify(stream)
    return path


def restore(path: Path, *, node: str, replace: bool) -> tuple[Manifest, int]:
    """Replace the database by that of a backup, whole or not at all.

    Args:
        node: the name of the node that the backup must be of.
        replace: whether a database that holds tables may be replaced.

    Returns:
        The manifest, and the number of migrations that are to be applied now.

    Raises:
        BackupError: nothing was restored; the message says why.
    """
    try:
        with path.open("rb") as file:
            backup = Reader(file)
            _refuse_what_does_not_fit(backup.manifest, node)
            _refuse_to_overwrite(replace=replace)
            _restore_waiting_files(backup)
            engine = _engine()
            with backup.open(engine.FILE) as stream:
                engine.load(stream)
            missing = _known() - set(backup.manifest.migrations)
            if not any(name.startswith(f"{Entry._meta.app_label}.") for name in missing):  # its table takes entries
                record(Action.RESTORED, node=backup.manifest.node, taken_at=backup.manifest.taken_at)
            return backup.manifest, len(missing)
    except OSError as error:
        raise BackupError(f"{path} can't be read: {error.strerror}.") from error


def _refuse_what_does_not_fit(manifest: Manifest, node: str) -> None:
    if manifest.node != node:
        raise BackupError(f"It is of the node {manifest.node}. If that is meant, add --node {manifest.node}.")
    if manifest.database != connection.vendor:
        raise BackupError(f"It is of {manifest.database}; the database here is {connection.vendor} (DATABASE_URL).")
    if manifest.server > _engine().server():
        raise BackupError(
            f"It is of {manifest.database} {manifest.server}; the database here has version {_engine().server()}."
        )
    if newer := sorted(set(manifest.migrations) - _known()):
        raise BackupError(
            f"It is of a newer version of the program, or of one with other apps: {', '.join(newer)} "
            "is not known here. Install that version, then restore."
        )


def _refuse_to_overwrite(*, replace: bool) -> None:
    tables = connection.introspection.table_names()
    if tables and not replace:
        raise BackupError(
            f"The database here is not empty: it has {len(tables)} tables. To lose all that is in it, add --replace."
        )
    if "syncer_worker" in tables and (workers := workers_alive()):
        raise BackupError(f"{IN_USE} {', '.join(workers)}.")


def _add_waiting_files(writer: Writer) -> None:
    for path in sorted(waiting_files.folder().iterdir()):
        if not waiting_files.NAME.fullmatch(path.name):
            continue
        try:
            with path.open("rb") as source:
                writer.add(f"{UPLOADS}{path.name}", source)
        except FileNotFoundError:
            continue  # its import ended meanwhile


def _restore_waiting_files(backup: Reader) -> None:
    """Bring back the files; the day after which one is removed begins again."""
    for name in backup.manifest.files:
        if name.startswith(UPLOADS):
            path = waiting_files.path(name.removeprefix(UPLOADS))
            path.touch(mode=0o600)
            with backup.open(name) as source, path.open("wb") as target:
                copyfileobj(source, target)


def _engine() -> ModuleType:
    return ENGINES[connection.vendor]


def _applied() -> list[str]:
    """Return the migrations that the database has, of the apps that are installed now or were."""
    try:
        return sorted(map(".".join, MigrationRecorder(connection).applied_migrations()))
    except Error as error:
        raise BackupError(f"The database can't be read: {str(error).strip()}") from error


def _known() -> set[str]:
    return set(map(".".join, MigrationLoader(None).disk_migrations))
