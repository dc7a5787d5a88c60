"""The rows of an import, read strictly from a file, one after the other."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.kit.numbers import grouped

MAX_ROWS = {"postgresql": 1_000_000, "sqlite": 500_000}  # on SQLite others wait for the one writer, 20 s at most
MAX_BLANK_ROWS = 1_048_576  # as many as a sheet has; more would only cost time
MAX_COLUMNS = 200
LONGEST_ROW = 5_000_000  # characters, which are kept in memory
Row = tuple[int, Sequence[Any]]  # the number in the file, from 1, and the cells
MISSING = object()  # the cell of a key that a JSON record lacks
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}


def max_rows() -> int:
    """Return the number of rows that one import may have here."""
    return MAX_ROWS[connection.vendor]


class FileError(Exception):
    """The file can't be read or written. The message says where and what to do."""


def long_row() -> FileError:
    most = grouped(LONGEST_ROW)
    return FileError(_("A row has more than %(most)s characters. Is the file of the chosen format?") % {"most": most})


@dataclass(frozen=True)
class CellError:
    """A cell that can't be read as it is seen. It stands in the place of its value, and refuses its row.

    Attributes:
        message: says what is wrong and how to correct it.
        shown: what the file holds.
    """

    message: str
    shown: str = ""

    def __str__(self) -> str:
        return self.shown


class Shown(float):
    """A number that its sheet shows in another way, such as 123 as `00123`."""

    text: str

    def __new__(cls, number: float, text: str) -> "Shown":
        value = super().__new__(cls, number)
        value.text = text
        return value

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was detected in a file; each attribute is empty where it does not apply.

    Attributes:
        encoding: such as `UTF-8 with BOM` or `Windows-1252`.
        delimiter: what separates the columns, such as `semicolon`.
        sheet: the name of the sheet that was read.
        others: the names of the sheets that were not read.
    """

    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        sentences = []
        if self.delimiter:
            words = {"encoding": self.encoding, "delimiter": _delimiter(self.delimiter)}
            sentences.append(_("Encoding: %(encoding)s. Columns are separated by: %(delimiter)s.") % words)
        elif self.encoding:
            sentences.append(_("Encoding: %(encoding)s.") % {"encoding": self.encoding})
        if self.sheet:
            sentences.append(_("The sheet “%(sheet)s” was read.") % {"sheet": self.sheet})
        if self.others:
            others = ", ".join(f"“{name}”" for name in self.others)
            sentences.append(_("Not read: %(sheets)s.") % {"sheets": others})
        return " ".join(sentences)


def _delimiter(name: str) -> str:
    words = {"comma": _("comma"), "semicolon": _("semicolon"), "tab": _("tab"), "vertical bar": _("vertical bar")}
    return words.get(name, name)


class Table:
    """The rows of a file, `(number, cells)` with numbers from 1, its headers, and what was found in it.

    Each iteration reads the file again, row by row: memory does not grow with it.
    """

    def __init__(self, headers: Sequence[str], read: Callable[[], Iterator[Row]], found: Found | None = None) -> None:
        """Read the first row.

        Raises:
            FileError: a header is empty or repeated, or there are too many columns. Also while the rows are read, see
                `checked`.
        """
        check_headers(headers)
        self.headers, self.read, self.found = headers, read, found or Found()
        self.has_rows = any(True for _ in self)

    def __iter__(self) -> Iterator[Row]:
        return checked(self.headers, self.read())

    def __bool__(self) -> bool:
        return self.has_rows


def without_blank_end(cells: Sequence[Any]) -> Sequence[Any]:
    """Return the cells without the blank ones at their end."""
    end = len(cells)
    while end and cells[end - 1] in ("", None):
        end -= 1
    return cells[:end]


def check_headers(headers: Sequence[str]) -> None:
    """Refuse headers that are empty or repeated, and too many of them.

    Raises:
        FileError: the headers are wrong.
    """
    if len(headers) > MAX_COLUMNS:
        words = {"count": grouped(len(headers)), "most": MAX_COLUMNS}
        raise FileError(
            _("The file has %(count)s columns, more than %(most)s. Take those away that are not ours.") % words
        )
    if doubles := sorted(name for name, times in Counter(headers).items() if times > 1 and name):
        raise FileError(_("The column %(column)s is in the file twice. Take one away.") % {"column": doubles[0]})
    for header in headers:
        if isinstance(readable(header), CellError):
            raise FileError(readable(header).message)
    if not all(headers):
        raise FileError(_("A column has no name. The first row must name every column."))


def checked(headers: Sequence[str], rows: Iterator[Row]) -> Iterator[Row]:
    """Yield the rows without those of which every cell is blank. What is wrong in a row becomes a `CellError` in it.

    Raises:
        FileError: there are too many rows.
    """
    count, blank, most = 0, 0, max_rows()
    for number, cells in rows:
        if all(cell in ("", None) for cell in cells):
            blank += 1
            if blank > MAX_BLANK_ROWS:
                words = {"most": grouped(MAX_BLANK_ROWS)}
                raise FileError(_("The file has more than %(most)s blank rows. Delete them.") % words)
            continue
        if count == most:
            raise FileError(_("The file has more than %(most)s rows. Split it.") % {"most": grouped(most)})
        yield number, _all_readable(cells if len(cells) == len(headers) else fitted(cells, len(headers)))
        count += 1


def fitted(cells: Sequence[Any], width: int) -> Sequence[Any]:
    """Return as many cells as there are columns. Blank cells at the end may be too many; others are an error."""
    given = list(without_blank_end(cells)) if len(cells) > width else list(cells)
    if len(given) <= width <= len(cells):
        return [*given, *[None] * (width - len(given))]
    words = {"cells": len(given), "columns": width}
    problem = ngettext(
        "The row has %(cells)s cell, but the first row names %(columns)s columns.",
        "The row has %(cells)s cells, but the first row names %(columns)s columns.",
        len(given),
    )
    cure = _("A text that holds the separator, a quotation mark or a line break must stand in double quotes.")
    message = f"{problem % words} {cure}"
    if len(given) < width:
        return [*given, CellError(message), *[MISSING] * (width - len(given) - 1)]
    return [*given[: width - 1], CellError(message, shown=str(given[width - 1]))]


def _all_readable(cells: Sequence[Any]) -> Sequence[Any]:
    try:
        for cell in cells:
            if isinstance(cell, str):
                cell.encode()
    except UnicodeEncodeError:
        return [readable(cell) for cell in cells]
    return cells


def readable(cell: Any) -> Any:
    """Return the cell. Unpaired surrogates, which JSON and XLSX can spell but UTF-8 can't encode, are an error."""
    try:
        if isinstance(cell, str):
            cell.encode()
    except UnicodeEncodeError as error:
        half = f"U+{ord(error.object[error.start]):04X}"
        message = _("The text holds %(half)s, which is an unpaired surrogate. Remove it.") % {"half": half}
        return CellError(message, shown=error.object.encode(errors="replace").decode())
    return cell
