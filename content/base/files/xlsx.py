"""XLSX workbooks: the sheet that is seen is read as it is seen, and exports are written without loss."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import openpyxl
from django.utils.translation import gettext as _
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ERROR_CODES

from backoffice.kit.numbers import grouped
from backoffice.kit.spreadsheets import escape
from content.base.files.archive import Archive, archive_of
from content.base.files.format import FileFormat
from content.base.files.numbers import DIGITS
from content.base.files.sheet import Cells, rows_of
from content.base.files.source import beginning, check_old_office
from content.base.files.workbook import Workbook, workbook_of
from content.base.files.xml import DamagedError
from content.base.tables import CellError, FileError, Found, Row, Shown, Table, without_blank_end

MAX_SHEET = 1_048_575  # rows below the header of an XLSX sheet
LONGEST_TEXT = 32_767  # characters of a cell
ILLEGAL = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")  # see `texts.ENCODED`


class XLSX(FileFormat):
    title, extension = "XLSX", "xlsx"
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    max_sheet = MAX_SHEET

    def create_dataset(self, in_stream: bytes | Path) -> Table:
        book = _opened(in_stream)
        first, headers = _first(_records(in_stream, book))

        def rows() -> Iterator[Row]:
            for number, cells in _records(in_stream, book):
                if number > first:
                    yield number, _in_a_row(cells, len(headers))

        return Table(headers, rows, Found(sheet=book.sheet.name, others=book.others))

    def size(self, source: Path) -> int:
        with _archive(source) as archive:
            return archive.size

    def write(self, out: BinaryIO, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("Export")
        sheet.freeze_panes = "A2"
        sheet.append(headers)
        try:
            for number, row in enumerate(rows, 1):
                if number > self.max_sheet:
                    most = grouped(self.max_sheet)
                    message = _("A sheet holds at most %(most)s rows. Choose CSV or JSON, or filter the list.")
                    raise FileError(message % {"most": most})
                sheet.append([_written(cell, sheet, number) for cell in row])
        except FileError:
            sheet.close()
            raise
        book.save(out)


@contextmanager
def _archive(source: bytes | Path) -> Iterator[Archive]:
    """Open the file of a workbook.

    Raises:
        FileError: the file is not an XLSX workbook; also while it is read.
    """
    check_old_office(beginning(source))
    try:
        with archive_of(source) as archive:
            yield archive
    except DamagedError as error:
        message = _("The file is not an XLSX workbook, or it is damaged. Save it again as XLSX.")
        raise FileError(message) from error


def _opened(source: bytes | Path) -> Workbook:
    """Read all of a workbook but its cells.

    Raises:
        FileError: the file is not an XLSX workbook, or no sheet of it is visible.
    """
    with _archive(source) as archive:
        return workbook_of(archive)


def _records(source: bytes | Path, book: Workbook) -> Iterator[tuple[int, Cells]]:
    """Yield the rows of the sheet that have cells, with their numbers from 1.

    Raises:
        FileError: the file is not an XLSX workbook, or is too large.
    """
    with _archive(source) as archive, archive.open(book.sheet.part) as part:
        yield from rows_of(part, book)


def _first(records: Iterator[tuple[int, Cells]]) -> tuple[int, Sequence[str]]:
    """Return the number and the names of the first row that is not blank; 0 and no names if there is none.

    Raises:
        FileError: a name can't be read.
    """
    for number, cells in records:
        if wrong := [cell.message for cell in cells.values() if isinstance(cell, CellError)]:
            words = {"row": number, "problem": wrong[0]}
            raise FileError(_("The names of the columns in row %(row)s can't be read. %(problem)s") % words)
        if names := without_blank_end([_name(cell) for cell in _in_a_row(cells, 0)]):
            return number, names
    return 0, ()


def _name(cell: Any) -> str:
    return "" if cell is None else str(cell).strip()


def _in_a_row(cells: Cells, width: int) -> list[Any]:
    """Return the cells of the columns, and at the end those beyond the last column that are not blank."""
    if not width:
        width = max(cells, default=-1) + 1
    beyond = [cells[column] for column in sorted(cells) if column >= width and cells[column] not in ("", None)]
    return [cells.get(column) for column in range(width)] + beyond


def _written(cell: object, sheet: Any, number: int) -> object:
    """Return what writes a cell as it is.

    Raises:
        FileError: a cell of a sheet can't hold so long a text.
    """
    if isinstance(cell, Shown) or (isinstance(cell, int) and abs(cell) >= 10**DIGITS):
        return str(cell)
    if not isinstance(cell, str):
        return cell
    text = ILLEGAL.sub(lambda match: f"_x{ord(match[0]):04X}_", str(escape(cell)))
    if len(text) > LONGEST_TEXT:
        words = {"row": grouped(number + 1), "most": grouped(LONGEST_TEXT)}
        message = _("A cell of a sheet holds at most %(most)s characters; a text in row %(row)s has more.")
        raise FileError(f"{message % words} {_('Choose CSV or JSON.')}")
    if text not in ERROR_CODES:
        return text
    written = WriteOnlyCell(sheet, text)
    written.data_type = "s"  # the library takes the text #N/A for the error
    return written
