"""The parts of a workbook, which is a ZIP file."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import SEEK_SET
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from content.base.files.source import opened
from content.base.files.xml import Attributes, DamagedError, Reader

LONGEST_LIST = 2_000_000  # bytes of the list of the parts, which Python reads whole
MAX_RELATIONS = 20_000_000  # bytes of a small part, unpacked
# What the library raises for a damaged file, a compression that it does not know, and a part with a password.
UNREADABLE = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError)


class Archive:
    """An open workbook, whose parts are found whatever the case and the slashes of their names."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._parts = {_normal(info.filename): info for info in archive.infolist()}
        self.size = sum(info.file_size for info in archive.infolist())  # Python unpacks no more

    def __contains__(self, name: str) -> bool:
        return _normal(name) in self._parts

    def open(self, name: str) -> IO[bytes]:
        """Open a part.

        Raises:
            DamagedError: there is no such part.
        """
        if name not in self:
            raise DamagedError
        return self._archive.open(self._parts[_normal(name)])

    def relations(self, name: str) -> dict[str, tuple[str, str]]:
        """Return what a part refers to, by id: the last word of its type, and its name."""
        path = PurePosixPath(name)
        listed = str(path.parent / "_rels" / f"{path.name}.rels")
        if listed not in self:
            return {}
        found = _Relations()
        with self.open(listed) as part:
            for _block in found.read(part, MAX_RELATIONS):
                pass
        return {key: (kind, _absolute(path.parent, target)) for key, kind, target in found.rows}


@contextmanager
def archive_of(source: bytes | Path) -> Iterator[Archive]:
    """Open a workbook.

    Raises:
        DamagedError: the file is not a ZIP file, or damaged; also while its parts are read.
        FileError: the file is gone.
    """
    with opened(source) as file:
        try:
            with zipfile.ZipFile(_Bounded(file)) as archive:
                yield Archive(archive)
        except UNREADABLE as error:
            raise DamagedError from error


class _Bounded:
    """A file of which no more is read at once than the list of parts may take: its size is told by the file itself."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.tell, self.close = file.tell, file.close

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        if size > LONGEST_LIST:
            raise DamagedError
        return self._file.read(LONGEST_LIST if size < 0 else size)


class _Relations(Reader):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[str, str, str]] = []

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "Relationship":
            kind = attributes.get("Type", "").rpartition("/")[2]
            self.rows.append((attributes.get("Id", ""), kind, attributes.get("Target", "")))


def _normal(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _absolute(folder: PurePosixPath, target: str) -> str:
    parts: list[str] = []
    for part in (PurePosixPath("/") / folder / target.replace("\\", "/")).parts[1:]:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)
