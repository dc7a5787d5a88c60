"""Searching all that the program wrote: every column of every table, and every file, unpacked where it is packed."""

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.db import connection
from django_q.models import OrmQ, Task

from backoffice.kit.sessions.models import Session
from tests.planted.forms import traces

Place = tuple[str, bytes]  # where it was written, and what


def found(planted: Mapping[str, str], places: Iterable[Place]) -> list[str]:
    """Which of the cores `{name: core}` are where: `["the bearer's secret in syncer_attempt: …", …]`."""
    wanted = [(name, trace) for name, core in planted.items() for trace in traces(core)]
    hits = []
    for where, content in places:
        small = content.lower()
        for name, trace in wanted:
            at = small.find(trace)
            if at >= 0:
                hits.append(f"{name} in {where}: {content[max(0, at - 60) : at + 60]!r}")
    return hits


def database() -> Iterator[Place]:
    """Every column of every table; what is pickled or signed in it, as text."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        for table in tables:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            names = [column[0] for column in cursor.description or ()]
            for row in cursor.fetchall():
                yield from ((f"{table}.{name}", _bytes(value)) for name, value in zip(names, row, strict=True))
    for task in Task.objects.all():
        yield f"task {task.pk}", repr((task.args, task.kwargs, task.result)).encode()
    for queued in OrmQ.objects.all():
        yield f"queued {queued.pk}", repr(queued.task).encode()
    for session in Session.objects.all():
        yield "session", repr(session.get_decoded()).encode()


def _bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def files(folder: Path) -> Iterator[Place]:
    """Every file under `folder`."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield from unpacked(str(path.relative_to(folder)), path.read_bytes())


def unpacked(where: str, content: bytes) -> Iterator[Place]:
    """What is written in a file: of an archive, its members."""
    yield where, content
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield f"{where}/{name}", archive.read(name)
    with suppress(zlib.error):
        yield f"{where}, unpacked", zlib.decompress(content, 47)
