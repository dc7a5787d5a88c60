"""Telling one SQLite file from its copies, and from an older state of itself.

The inode of the file tells it from copies: a copy has another one, and moving the file within its file system, VACUUM,
a restart or another version of the program keep it. It does not tell when a backup was written over the file (`cp`,
`.restore`), or when a new file got the freed inode. So each run is counted twice before it sends anything: in the
database, and then in a small file beside it. A database that counted fewer runs than that file was put back.
See docs/adr/0011-what-a-restore-is.md.
"""

import os
from pathlib import Path

from django.db import connection, transaction


def inode() -> int:
    """The database file's; 0 of a database in memory, which nothing can be restored to."""
    path = _path()
    return path.stat().st_ino if path else 0


def is_put_back() -> bool:
    """The database counted fewer runs than were begun on this file."""
    return _counted() < _noted()


def count(*, forget: bool = False) -> None:
    """Count one more run.

    Args:
        forget: what was noted of earlier runs does not count any more. So it is too where no route has read any
            history: that database was created again under the old name.
    """
    path = _path()
    if path is None:
        return
    with transaction.atomic():
        noted, counted = _noted(), _counted()
        if counted < noted and not forget and _has_marks():
            return
        newest = max(noted, counted) + 1
        with connection.cursor() as cursor:
            # In the file's header, free for applications: https://www.sqlite.org/pragma.html#pragma_user_version
            cursor.execute(f"PRAGMA user_version = {newest}")
    # After the commit: should we die between the two, the database has counted more, which says nothing.
    new = path.with_name(f"{path.name}-witness.{os.getpid()}")
    new.write_text(f"{inode()} {newest}\n")
    new.replace(_beside(path))


def given(table: str) -> int:
    """The last number that the sequence of a table has given; rows that are deleted don't take it back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = %s), 0)", [table])
        return int(cursor.fetchone()[0])


def _has_marks() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM syncer_route WHERE mark <> '')")
        return bool(cursor.fetchone()[0])


def _counted() -> int:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA user_version")
        return int(cursor.fetchone()[0])


def _noted() -> int:
    """What the file beside the database says of it; 0: nothing."""
    path = _path()
    if path is None or not (beside := _beside(path)).exists():
        return 0
    file, _, newest = beside.read_text().strip().partition(" ")
    return int(newest) if newest.isdecimal() and file == str(inode()) else 0


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}-witness")


def _path() -> Path | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT file FROM pragma_database_list WHERE name = 'main'")
        file = cursor.fetchone()[0]
    return Path(file) if file else None
