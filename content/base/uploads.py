"""The storage of an uploaded file between the preview of an import and its end."""

from collections.abc import Iterable
from pathlib import Path

from import_export.tmp_storages import BaseStorage

from backoffice.kit import waiting_files
from content.base.tables import FileError

GONE = "This file was imported already, or waited for more than a day. Nothing was done."


class UploadStorage(BaseStorage):  # type: ignore[misc]
    """A file under VAR_DIR with a name that can't be guessed. An upload that nobody confirms is removed later.

    The library's own storage never removes its files from the system's temporary folder, and reads any file there that
    a form names.
    """

    name: str | None

    def save(self, data: bytes | Iterable[bytes]) -> None:
        """Store the file, given whole or in parts."""
        self.name = waiting_files.new()
        with waiting_files.path(self.name).open("wb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)

    def read(self) -> Path:
        """Return where the file is, from which the formats read row by row.

        Raises:
            FileError: the file was imported already or is too old.
        """
        try:
            path = waiting_files.path(self.name or "")
            path.stat()
        except FileNotFoundError as error:
            raise FileError(GONE) from error
        return path

    def take(self) -> str:
        """Rename the file, so that only the caller can find it, and return its new name.

        Raises:
            FileError: the file was taken before or is too old.
        """
        try:
            self.name = waiting_files.take(self.name or "")
        except FileNotFoundError as error:
            raise FileError(GONE) from error
        return self.name

    def remove(self) -> None:
        waiting_files.remove(self.name or "")
