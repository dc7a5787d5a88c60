"""The rows of an import, read strictly from a file, one after the other."""

import codecs
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from django.db import connection

MAX_ROWS = {"postgresql": 1_000_000, "sqlite": 500_000}  # on SQLite others wait for the one writer, 20 s at most
MAX_COLUMNS = 200
BLOCK = 1024 * 1024  # bytes read at a time
Row = tuple[int, Sequence[Any]]  # the number in the file, from 1, and the cells
MISSING = object()  # the cell of a key that a JSON record lacks


def max_rows() -> int:
    """Return the number of rows that one import may have here."""
    return MAX_ROWS[connection.vendor]


class FileError(Exception):
    """The file can't be read or written. The message says where and what to do."""


class Table:
    """The rows of a file, `(number, cells)` with numbers from 1, and its headers.

    Each iteration reads the file again, row by row: memory does not grow with it.
    """

    def __init__(self, headers: Sequence[str], read: Callable[[], Iterator[Row]]) -> None:
        """Read the first row.

        Raises:
            FileError: a header is empty or repeated, or there are too many columns. Also while the rows are read, see
                `checked`.
        """
        check_headers(headers)
        self.headers, self.read = headers, read
        self.has_rows = any(True for _ in self)

    def __iter__(self) -> Iterator[Row]:
        return checked(self.headers, self.read())

    def __bool__(self) -> bool:
        return self.has_rows


def check_text(number: int, cells: Iterable[object]) -> None:
    """Refuse unpaired surrogates, which JSON and XLSX can spell but UTF-8 can't encode.

    Raises:
        FileError: a text in the row holds half of a surrogate pair.
    """
    try:
        for cell in cells:
            if isinstance(cell, str):
                cell.encode()
    except UnicodeEncodeError as error:
        half = f"U+{ord(error.object[error.start]):04X}"
        raise FileError(f"Row {number} holds {half}, which is an unpaired surrogate. Remove it.") from error


def check_headers(headers: Sequence[str]) -> None:
    """Refuse headers that are empty or repeated, and too many of them.

    Raises:
        FileError: the headers are wrong.
    """
    if len(headers) > MAX_COLUMNS:
        problem = f"The file has {len(headers):,} columns, more than {MAX_COLUMNS}."
        raise FileError(f"{problem} Take those away that are not ours.")
    if doubles := sorted(name for name, times in Counter(headers).items() if times > 1):
        raise FileError(f"The column {doubles[0]} is in the file twice. Take one away.")
    check_text(1, headers)
    if not all(headers):
        raise FileError("A column has no name. The first row must name every column.")


def checked(headers: Sequence[str], rows: Iterator[Row]) -> Iterator[Row]:
    """Yield the rows without those of which every cell is empty.

    Raises:
        FileError: a row is not as long as the header, a text can't be encoded as UTF-8, or there are too many rows.
    """
    count, most = 0, max_rows()
    for number, cells in rows:
        if all(cell in ("", None) for cell in cells):
            continue
        if len(cells) != len(headers):
            raise FileError(
                f"Row {number} has {len(cells)} cells, but {len(headers)} columns are named in row 1. "
                "A text that holds a comma, a quote or a line break must stand in double quotes."
            )
        check_text(number, cells)
        if count == most:
            raise FileError(f"The file has more than {most:,} rows. Split it.")
        yield number, cells
        count += 1


@contextmanager
def opened(source: bytes | Path) -> Iterator[BinaryIO]:
    """Open a file, or bytes as one.

    Raises:
        FileError: the file is gone.
    """
    try:
        file: BinaryIO = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    except FileNotFoundError as error:
        raise FileError("The file is not there any more. Upload it again.") from error
    with file:
        yield file


@contextmanager
def text_of(source: bytes | Path, title: str) -> Iterator[TextIO]:
    """Open a file of UTF-8 text, with or without a byte order mark.

    Raises:
        FileError: the file is not UTF-8; also while it is read.
    """
    try:
        with opened(source) as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
            yield text
    except UnicodeDecodeError as error:
        wrong = f"The file is not UTF-8 text (byte {_first_wrong_byte(source)} is wrong)."
        raise FileError(f"{wrong} Save it as {title} with the encoding UTF-8, or use XLSX.") from error


def _first_wrong_byte(source: bytes | Path) -> int:
    """Return the place, from 1, of the first byte that is not UTF-8."""
    decoder, position = codecs.getincrementaldecoder("utf-8")(), 0
    with opened(source) as file:
        while True:
            block, rest = file.read(BLOCK), len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return position - rest + error.start + 1
            position += len(block)
