"""Looks for words in all that the program keeps: each column of each table, and each file under VAR_DIR."""

import warnings
import zipfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django_q.models import OrmQ, Task

from backoffice.kit.sessions.models import Session


def places(*words: str) -> list[str]:
    """Where any of `words` is: `["table messaging_message", "file uploads/…"]`."""
    return [*_tables(words), *_files(words)]


def _tables(words: tuple[str, ...]) -> list[str]:
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            if any(_holds(value, words) for row in cursor.fetchall() for value in row):
                found.append(f"table {table}")
    # Packed and signed, so that the columns themselves tell nothing.
    packed: dict[str, list[Any]] = {
        "sessions": [session.get_decoded() for session in Session.objects.all()],
        "tasks": [(task.args, task.kwargs, task.result) for task in Task.objects.all()],
        "queue": [row.task for row in OrmQ.objects.all()],
    }
    return found + [name for name, values in packed.items() if any(_holds(value, words) for value in values)]


def _files(words: tuple[str, ...]) -> list[str]:
    """The database's own file is left out: it keeps what was erased until its pages are used again."""
    folder = Path(settings.VAR_DIR)
    files = [path for path in folder.rglob("*") if path.is_file() and ".sqlite3" not in path.name]
    return [f"file {path.relative_to(folder)}" for path in files if _holds(_read(path), words)]


def _read(path: Path) -> str:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return "".join(archive.read(name).decode(errors="replace") for name in archive.namelist())
    return path.read_bytes().decode(errors="replace")


def _holds(value: Any, words: tuple[str, ...]) -> bool:
    if isinstance(value, memoryview | bytes):
        value = bytes(value).decode(errors="replace")
    text = str(value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # what is no escape stays as it is
        unescaped = text.encode("latin-1", "backslashreplace").decode("unicode_escape", errors="replace")
    return any(word in reading for word in words for reading in (text, unescaped))
