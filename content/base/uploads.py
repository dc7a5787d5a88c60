"""Where an uploaded file waits between the preview of an import and its confirmation."""

import re
import time
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from import_export.tmp_storages import BaseStorage

NAME = re.compile(r"[0-9a-f]{32}")
KEPT = 24 * 60 * 60  # seconds


class UploadGone(Exception):
    """The file was imported already, or is too old."""


class UploadStorage(BaseStorage):  # type: ignore[misc]
    """A file of its own under VAR_DIR, with a name that can't be guessed. What nobody confirmed is removed later.

    The library's own storage leaves files in the system's folder for ever, and reads there whatever a form names.
    """

    name: str | None

    def save(self, data: bytes) -> None:
        folder = self._folder()
        self._clear(folder)
        self.name = uuid4().hex
        path = folder / self.name
        path.touch(mode=0o600)
        path.write_bytes(data)

    def read(self) -> bytes:
        """Raises:
        UploadGone: there is no such file.
        """
        try:
            return self._path().read_bytes()
        except FileNotFoundError as error:
            raise UploadGone from error

    def remove(self) -> None:
        self._path().unlink(missing_ok=True)

    def _folder(self) -> Path:
        folder = Path(settings.VAR_DIR) / "uploads"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def _path(self) -> Path:
        if self.name is None or not NAME.fullmatch(self.name):
            raise UploadGone
        return self._folder() / self.name

    def _clear(self, folder: Path) -> None:
        for path in folder.iterdir():
            if path.stat().st_mtime < time.time() - KEPT:
                path.unlink(missing_ok=True)
