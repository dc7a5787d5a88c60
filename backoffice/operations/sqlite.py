"""Backup and restore of SQLite by its online backup: a copy as of one moment, whoever writes meanwhile."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile, _TemporaryFileWrapper
from typing import IO

from django.db import connection

from backoffice.kit import waiting_files
from backoffice.operations.errors import IN_USE, BackupError
from syncer.public import note_restore

FILE = "database.sqlite3"


def server() -> int:
    return sqlite3.sqlite_version_info[0]


@contextmanager
def dump() -> Iterator[IO[bytes]]:
    """Yield a copy of the database."""
    with _empty_file() as copy:
        with closing(sqlite3.connect(_path())) as source, closing(sqlite3.connect(copy.name)) as target:
            source.backup(target)  # in one step, so from one snapshot
        yield copy


def verify(stream: IO[bytes]) -> None:
    """Check that the copy is a sound database."""
    with _sound_copy(stream):
        pass


def load(stream: IO[bytes]) -> None:
    """Replace all that the database holds; a program that is killed meanwhile leaves it as it was.

    It is overwritten, not exchanged for another file, so that it keeps its owner and its permissions.

    Raises:
        BackupError: another process has it open.
    """
    connection.close()
    with (
        _sound_copy(stream) as copy,
        closing(sqlite3.connect(copy)) as source,
        closing(sqlite3.connect(_path())) as target,
    ):
        try:
            target.execute("PRAGMA journal_mode = DELETE")  # works only while nobody else has the file open
        except sqlite3.OperationalError as error:
            raise BackupError(f"{IN_USE} another process has {_path()} open.") from error
        note_restore(_path(), source.execute("PRAGMA user_version").fetchone()[0])
        source.backup(target)


def _path() -> Path:
    return Path(connection.settings_dict["NAME"])


@contextmanager
def _sound_copy(stream: IO[bytes]) -> Iterator[str]:
    """Yield the path of a copy of the database in `stream`.

    Raises:
        BackupError: it is damaged.
    """
    with _empty_file() as copy:
        copyfileobj(stream, copy)
        copy.flush()
        with closing(sqlite3.connect(copy.name)) as database:
            try:
                database.execute("PRAGMA ignore_check_constraints = ON")  # they call functions of Django's
                found = database.execute("PRAGMA integrity_check").fetchone()[0]
            except sqlite3.DatabaseError as error:
                found = str(error)
        if found != "ok":
            raise BackupError(f"The database in it is damaged: {found}.")
        yield copy.name


def _empty_file() -> "_TemporaryFileWrapper[bytes]":
    """Return a file for its owner alone; the system's own temporary folder may be memory."""
    return NamedTemporaryFile(dir=waiting_files.folder(), prefix="database-")
