"""The file of a backup: a ZIP archive whose manifest names what it is a backup of, and each other file's checksum.

A checksum finds what was cut or damaged. It is no signature: whoever may write the file may write another manifest.
"""

import hashlib
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Self
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from backoffice.operations.errors import BackupError

MANIFEST = "manifest.json"
FORMAT = 1  # of the archive
CHUNK = 1 << 20  # bytes


@dataclass(frozen=True, kw_only=True)
class Manifest:
    format: int = FORMAT
    node: str
    taken_at: str  # ISO 8601, UTC
    database: str  # postgresql or sqlite
    server: int  # the major version of the database server; of SQLite, of the library
    migrations: list[str]  # news.0001_initial
    files: dict[str, str]  # name: SHA-256

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Return the manifest that a text holds.

        Raises:
            BackupError: it is of another format.
        """
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise BackupError("Its manifest is not one that this version of the program can read.") from error


class Writer:
    """Fills the archive in `file`; the manifest comes last."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = ZipFile(file, "w", ZIP_DEFLATED)
        self._files: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def add(self, name: str, source: IO[bytes]) -> None:
        """Add all that is left to read of `source`."""
        with self._zip.open(name, "w", force_zip64=True) as target:
            self._files[name] = _copy(source, target)

    def finish(self, manifest: Manifest) -> None:
        self._zip.writestr(MANIFEST, json.dumps(asdict(replace(manifest, files=self._files)), indent=2))


class Reader:
    """An archive that is whole: each file was read and has its checksum."""

    def __init__(self, file: IO[bytes]) -> None:
        try:
            self._zip = ZipFile(file)
            self.manifest = Manifest.parse(self._zip.read(MANIFEST))
            found = {name: self._checksum(name) for name in self._zip.namelist() if name != MANIFEST}
        except (BadZipFile, zlib.error, EOFError, KeyError) as error:
            raise BackupError(f"It is cut, damaged or not a backup: {error}.") from error
        if self.manifest.format != FORMAT:
            raise BackupError(f"It has the format {self.manifest.format}; this version of the program reads {FORMAT}.")
        if found != self.manifest.files:
            names = sorted(name for name, _ in found.items() ^ self.manifest.files.items())
            raise BackupError(f"It was altered: {', '.join(dict.fromkeys(names))} is not as the manifest says.")

    def open(self, name: str) -> IO[bytes]:
        return self._zip.open(name)

    def _checksum(self, name: str) -> str:
        with self._zip.open(name) as source:
            return _copy(source, None)


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file for its owner alone, which gets its name at the end of the block, once it is on the disk.

    Raises:
        BackupError: there is such a file, or it can't be written.
    """
    if path.exists():
        raise BackupError(f"{path} exists; a backup replaces no file.")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).rename(path)
            finally:
                Path(file.name).unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise BackupError(f"{path} can't be written: {error.strerror}.") from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy(source: IO[bytes], target: IO[bytes] | None) -> str:
    """Copy to `target`, if there is one, and return the checksum of what was read."""
    checksum = hashlib.sha256()
    while chunk := source.read(CHUNK):
        checksum.update(chunk)
        if target is not None:
            target.write(chunk)
    return checksum.hexdigest()
