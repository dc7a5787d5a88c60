"""The file that is read: opened, and what it is if it is not what was chosen."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from content.base.tables import FileError

ZIP, OLD_OFFICE, PDF, GZIP = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF", b"\x1f\x8b"


@contextmanager
def opened(source: bytes | Path) -> Iterator[BinaryIO]:
    """Open a file, or bytes as one.

    Raises:
        FileError: the file is gone.
    """
    try:
        file: BinaryIO = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    except FileNotFoundError as error:
        raise FileError(_("The file is not there any more. Upload it again.")) from error
    with file:
        yield file


def beginning(source: bytes | Path) -> bytes:
    with opened(source) as file:
        return file.read(8)


def check_text_file(source: bytes | Path) -> None:
    """Refuse what is no text.

    Raises:
        FileError: the file is a workbook, a PDF or compressed, whatever its name says.
    """
    begins = beginning(source)
    if begins.startswith(ZIP):
        raise FileError(_("The file is a workbook or another ZIP file. Choose XLSX as its format."))
    check_old_office(begins)
    if begins.startswith(PDF):
        raise FileError(_("The file is a PDF. Save the table itself, as XLSX or CSV."))
    if begins.startswith(GZIP):
        raise FileError(_("The file is compressed with gzip. Unpack it, and upload what is in it."))


def check_old_office(begins: bytes) -> None:
    """Refuse a workbook of Excel 97 to 2003; a newer one with a password begins in the same way.

    Raises:
        FileError: the file is one of these.
    """
    if begins.startswith(OLD_OFFICE):
        raise FileError(
            _("The file is a workbook of Excel 97 to 2003, or needs a password. Save it as XLSX without a password.")
        )
