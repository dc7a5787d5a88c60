"""The rows of a sheet, read as a stream. The cells decide, not what the sheet says of its own size."""

from collections import deque
from collections.abc import Iterator
from typing import IO, Any

from django.utils.translation import gettext as _
from openpyxl.utils.datetime import from_ISO8601

from backoffice.kit.numbers import grouped
from backoffice.kit.spreadsheets import unescape
from content.base.files import numbers
from content.base.files.texts import Parts, decode
from content.base.files.workbook import Workbook
from content.base.files.xml import Attributes, DamagedError, Reader
from content.base.tables import LONGEST_ROW, CellError, FileError, long_row

MAX_UNPACKED = 1_000_000_000  # bytes of a sheet
MAX_ROWS, MAX_WIDTH = 1_048_576, 16_384  # of a sheet of Excel
MAX_CELLS = 50_000_000  # blank ones too: it is the time to read them that counts
Cells = dict[int, Any]  # by column, from 0; blank cells are left out


def rows_of(part: IO[bytes], book: Workbook) -> Iterator[tuple[int, Cells]]:
    """Yield the rows of a sheet, with their numbers from 1. Rows without cells may be left out.

    Raises:
        DamagedError: the part is not a sheet.
        FileError: the sheet is too large.
    """
    sheet = _Sheet(book)
    for _block in sheet.read(part, MAX_UNPACKED):
        while sheet.rows:
            yield sheet.rows.popleft()
    yield from sheet.rows


class _Sheet(Reader):
    keeps = frozenset(["v", "t", "f"])

    def __init__(self, book: Workbook) -> None:
        super().__init__()
        self.book, self.rows, self.parts = book, deque[tuple[int, Cells]](), Parts()
        self.number, self.cell_count, self.row_length = 0, 0, 0
        self.cells: Cells = {}
        self.columns: dict[str, int] = {}  # the numbers of the letters that occur
        self.column, self.kind, self.style = -1, "n", 0
        self.value, self.has_formula, self.has_text = "", False, False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "c":
            self._start_cell(attributes)
        elif name == "row":
            self._start_row(attributes)
        elif name == "f":
            self.has_formula = True
        elif name == "is":
            self.has_text = True
            self.parts = Parts()
        elif name != "v":
            self.parts.start(name)

    def end(self, name: str, text: str) -> None:
        if name == "v":
            self.value = text
        elif name == "c":
            if self.value or self.has_formula or self.has_text:
                self._add_cell(self._cell())
        elif name == "row":
            self.rows.append((self.number, self.cells))
            self.cells = {}
        else:
            self.parts.end(name, text)

    def _start_row(self, attributes: Attributes) -> None:
        number = _index(attributes.get("r", ""), self.number + 1)
        if not self.number < number <= MAX_ROWS:
            raise DamagedError
        self.number, self.column, self.row_length = number, -1, 0

    def _start_cell(self, attributes: Attributes) -> None:
        self.cell_count += 1
        if self.cell_count > MAX_CELLS:
            words = {"most": grouped(MAX_CELLS)}
            raise FileError(_("The sheet has more than %(most)s cells, blank ones too. Split it, or use CSV.") % words)
        self.column = self._column(attributes.get("r", ""))
        self.kind, self.style = attributes.get("t", "n"), _index(attributes.get("s", ""), 0)
        self.value, self.has_formula, self.has_text = "", False, False

    def _column(self, reference: str) -> int:
        """Return the column of a reference such as AB12, from 0; without one, the next column."""
        letters = reference.rstrip("0123456789")
        if not letters:
            column = self.column + 1
        elif letters in self.columns:
            return self.columns[letters]
        else:
            column = _number_of(letters)
        if column >= MAX_WIDTH:
            raise DamagedError
        if letters:
            self.columns[letters] = column
        return column

    def _add_cell(self, cell: Any) -> None:
        self.row_length += len(str(cell))
        if self.row_length > LONGEST_ROW:
            raise long_row()
        self.cells[self.column] = cell

    def _cell(self) -> Any:
        """Return the value as the sheet shows it, or a `CellError`."""
        if self.has_formula and (self.book.is_uncalculated or not (self.value or self.kind == "str")):
            return CellError(_no_result(), shown=self.value)
        if self.has_text:
            return unescape(decode(self.parts.text()))
        if not self.value:
            return None
        if self.kind == "s":
            text = self.book.texts[_index(self.value, -1)]
            self.added += len(text)
            return unescape(decode(text))
        if self.kind in ("str", "inlineStr"):
            return unescape(decode(self.value))
        if self.kind == "b":
            return self.value.strip() in ("1", "true")
        if self.kind == "e":
            message = _("The cell shows the error %(error)s. Correct its formula, or write the value.")
            return CellError(message % {"error": self.value}, shown=self.value)
        if self.kind == "d":
            return self._date()
        if self.style and self.style >= len(self.book.formats):
            raise DamagedError
        code = self.book.formats[self.style] if self.book.formats else "General"
        return numbers.reader(code, is_1904=self.book.is_1904)(self.value)

    def _date(self) -> Any:
        try:
            return from_ISO8601(self.value)
        except ValueError:
            message = _("“%(text)s” is not a date. Write the date again.")
            return CellError(message % {"text": self.value}, shown=self.value)


def _no_result() -> str:
    return _(
        "The cell holds a formula whose result is not in the file. Open the file in a spreadsheet program and save it, "
        "or write the value."
    )


def _index(text: str, default: int) -> int:
    """Return a number from 0 to a thousand million.

    Raises:
        DamagedError: the text is another one.
    """
    if not text:
        return default
    if len(text) > 9 or not text.isdecimal():
        raise DamagedError
    return int(text)


def _number_of(letters: str) -> int:
    """Return the number, from 0, of a column such as AB."""
    if len(letters) > 3 or not (letters.isascii() and letters.isalpha()):
        raise DamagedError
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
