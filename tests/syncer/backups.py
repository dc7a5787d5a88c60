"""Real backups of the test database, and real restores: a file of SQLite, a database of PostgreSQL."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from django.db import connection

from tests import postgres
from tools.servers import free_port


@contextmanager
def backup() -> Iterator[str]:
    """A copy of the database as it is now; its name, for `restored`."""
    name = _copy_file() if connection.vendor == "sqlite" else _copy_database()
    try:
        yield name
    finally:
        _remove(name)


@contextmanager
def restored(name: str) -> Iterator[None]:
    """The program runs on the backup, as if it had been restored elsewhere."""
    original = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = original


def write_over(name: str) -> None:
    """Restore the backup in place, `cp backup.sqlite3 backoffice.sqlite3`: the file stays the same one."""
    connection.close()  # the last connection takes the write-ahead log into the file
    original = connection.settings_dict["NAME"]
    before = Path(original).stat().st_ino
    shutil.copyfile(name, original)
    assert Path(original).stat().st_ino == before


def _copy_file() -> str:
    original = Path(connection.settings_dict["NAME"])
    name = original.with_name(f"backup-{uuid4().hex}.sqlite3")
    with sqlite3.connect(original) as source, sqlite3.connect(name) as copy:
        source.backup(copy)
    source.close()
    copy.close()
    return str(name)


def _copy_database() -> str:
    name = f"backup_{uuid4().hex}"
    connection.close()  # a template may have no other sessions
    _on_server(f'CREATE DATABASE {name} TEMPLATE "{connection.settings_dict["NAME"]}"')
    return name


def _remove(name: str) -> None:
    if connection.vendor == "sqlite":
        for file in Path(name).parent.glob(f"{Path(name).name}*"):
            file.unlink()
    else:
        _on_server(f"DROP DATABASE {name}")


def _on_server(sql: str) -> None:
    """In a session of its own, for a database that is copied or dropped may have no other ones."""
    with connection._nodb_cursor() as cursor:
        cursor.execute(sql)


@contextmanager
def recovered() -> Iterator[tuple[str, str]]:
    """A PostgreSQL server, and the same one as its base backup brings it back, as `DATABASE_URL`s."""
    with postgres.server() as url, postgres.installation() as installed:
        data, new = installed.folder / "data", free_port()
        installed.copy(urlsplit(url).port or 0, data)
        (data / "recovery.signal").touch()
        process = installed.start(data, new, restore_command="false", hot_standby="off", fsync="off")
        try:
            yield url, postgres.address(new)
        finally:
            postgres.stop(process)
