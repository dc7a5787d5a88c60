"""Where an uploaded file waits between the preview of an import and its end."""

from import_export.tmp_storages import BaseStorage

from backoffice.kit import waiting_files
from backoffice.kit.waiting_files import FileGoneError


class UploadGoneError(Exception):
    """The file was imported already, or is too old."""

    def __str__(self) -> str:
        return "This file was imported already, or waited for more than a day. Nothing was done."


class UploadStorage(BaseStorage):  # type: ignore[misc]
    """A file of its own under VAR_DIR, with a name that can't be guessed. What nobody confirmed is removed later.

    The library's own storage leaves files in the system's folder for ever, and reads there whatever a form names.
    """

    name: str | None

    def save(self, data: bytes) -> None:
        self.name = waiting_files.new()
        waiting_files.path(self.name).write_bytes(data)

    def read(self) -> bytes:
        """Return the file's bytes.

        Raises:
            UploadGoneError: there is no such file.
        """
        try:
            return waiting_files.path(self.name).read_bytes()
        except (FileGoneError, FileNotFoundError) as error:
            raise UploadGoneError from error

    def take(self) -> str:
        """The name under which only the caller finds it from now on.

        Raises:
            UploadGoneError: somebody took it before.
        """
        try:
            self.name = waiting_files.take(self.name or "")
        except FileGoneError as error:
            raise UploadGoneError from error
        return self.name

    def remove(self) -> None:
        waiting_files.remove(self.name or "")
