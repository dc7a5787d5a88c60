"""What the formats share."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext
from import_export.formats.base_formats import Format

from content.base.tables import Table


class FileFormat(Format):  # type: ignore[misc]
    """The base of the formats. The library's `is_binary` stays set, so line breaks in texts are not translated.

    Args:
        encoding: the codec of a text file; None to detect it.
    """

    title: str
    extension: str
    content_type: str

    def __init__(self, encoding: str | None = None) -> None:
        self.encoding = encoding

    def get_title(self) -> str:
        return gettext(self.title)

    def get_extension(self) -> str:
        return self.extension

    def get_content_type(self) -> str:
        return self.content_type

    def can_import(self) -> bool:
        return True

    def can_export(self) -> bool:
        return True

    def create_dataset(self, in_stream: bytes | Path) -> Table:
        """Return the rows of a file, which are read when they are iterated over.

        Raises:
            FileError: the file can't be read; also while the rows are read.
        """
        raise NotImplementedError

    def size(self, source: Path) -> int:
        """Return the bytes of a file as it is read, unpacked.

        Raises:
            FileError: the file can't be read.
        """
        return source.stat().st_size

    def write(self, out: BinaryIO, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Write the rows one by one: memory does not grow with their number.

        Raises:
            FileError: the format can't hold so many rows.
        """
        raise NotImplementedError
