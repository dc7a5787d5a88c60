"""Distinguishes a SQLite file from its copies, and from an older state of itself.

The inode of the file distinguishes it from copies: a copy has another inode, while moving the file within its file
system, VACUUM, a restart or another version of the program keep it. The inode does not change when a backup is written
over the file (`cp`, `.restore`), and a new file may get the freed inode. So each run is counted twice before it sends
anything: in the database, and then in a small file beside it. A database that counted fewer runs than that file was
restored to an older state. See docs/adr/0011-what-a-restore-is.md.
"""

from functools import partial
from pathlib import Path
from typing import Any

from django.db import connection, transaction


def inode() -> int:
    """Return the inode of the database file; 0 for a database in memory, which can't be restored."""
    path = _path()
    return path.stat().st_ino if path else 0


def is_put_back() -> bool:
    """Return whether the database counted fewer runs than were begun on this file."""
    return _counted() < _recorded()


def count(*, forget: bool = False) -> None:
    """Count one more run.

    With `forget`, a higher number in the file beside the database is ignored. So it is while no route has read any
    history: then the database was created again under the old name.
    """
    path = _path()
    if path is None:
        return
    with transaction.atomic():
        recorded, counted = _recorded(), _counted()
        if counted < recorded and not forget and _value("SELECT EXISTS (SELECT 1 FROM syncer_route WHERE mark <> '')"):
            return
        newest = max(recorded, counted) + 1
        with connection.cursor() as cursor:
            # A header field that is free for applications: https://www.sqlite.org/pragma.html#pragma_user_version
            cursor.execute(f"PRAGMA user_version = {newest}")
        # A crash between the two leaves the higher number in the database, which is harmless.
        transaction.on_commit(partial(_record, path, newest))


def note_restore(path: Path, counted: int) -> None:
    """Have the database count as put back until it is recovered; called before it is overwritten by a backup.

    Args:
        path: the file of the database.
        counted: the runs that the backup has counted.
    """
    _record(path, max(_recorded_of(path), counted) + 1)


def given(table: str) -> int:
    """Return the last number that the sequence of a table has given; deleted rows do not lower it."""
    return int(_value("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = %s), 0)", table))


def _value(sql: str, *params: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()[0]


def _counted() -> int:
    return int(_value("PRAGMA user_version"))


def _recorded() -> int:
    path = _path()
    return _recorded_of(path) if path else 0


def _recorded_of(path: Path) -> int:
    """Return the runs that the file beside the database has counted of it; 0 without an entry for this inode."""
    if not (beside := _beside(path)).exists():
        return 0
    file, _, newest = beside.read_text().strip().partition(" ")
    return int(newest) if newest.isdecimal() and file == str(path.stat().st_ino) else 0


def _record(path: Path, newest: int) -> None:
    new = path.with_name(f"{path.name}-witness.{newest}")  # by its number: another thread may be writing the next
    new.write_text(f"{path.stat().st_ino} {newest}\n")
    new.replace(_beside(path))


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}-witness")


def _path() -> Path | None:
    file = _value("SELECT file FROM pragma_database_list WHERE name = 'main'")
    return Path(file) if file else None
