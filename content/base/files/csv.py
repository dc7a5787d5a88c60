"""CSV: of any of the usual encodings and separators, written as UTF-8."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, TextIO

from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from backoffice.kit.numbers import grouped
from backoffice.kit.spreadsheets import escape, unescape
from content.base.files import delimiter, encoding
from content.base.files.delimiter import Delimiter
from content.base.files.encoding import Encoding, text_of
from content.base.files.format import FileFormat
from content.base.tables import LONGEST_ROW, FileError, Found, Row, Table, long_row, without_blank_end


class CSV(FileFormat):
    title, extension, content_type = "CSV", "csv", "text/csv; charset=utf-8"
    codec, delimiter = "utf-8", ","

    def create_dataset(self, in_stream: bytes | Path) -> Table:
        coded = self._encoding(in_stream)
        with text_of(in_stream, coded) as text:
            separated = delimiter.detect(text.read(delimiter.SAMPLE))
        first, headers = _first(_records(in_stream, coded, separated))

        def rows() -> Iterator[Row]:
            for number, row in _records(in_stream, coded, separated):
                if number > first:
                    yield number, [unescape(cell) for cell in row]

        return Table(headers, rows, Found(encoding=coded.name, delimiter=separated.name))

    def _encoding(self, source: bytes | Path) -> Encoding:
        if self.encoding is None:
            return encoding.detect(source, "CSV", may_be_windows=True)
        chosen = Encoding(self.encoding, self.encoding)
        encoding.check(source, chosen, "CSV")
        return chosen

    def write(self, out: BinaryIO, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        text = io.TextIOWrapper(out, encoding=self.codec, newline="")
        writer = csv.writer(text, delimiter=self.delimiter)
        writer.writerow(headers)
        writer.writerows([escape(cell) for cell in row] for row in rows)
        text.detach()  # flushes, and leaves `out` open


class ExcelCSV(CSV):
    """CSV with a byte order mark, without which Excel takes UTF-8 for Windows-1252 and shows broken letters."""

    title, codec = gettext_noop("CSV for Excel"), "utf-8-sig"

    def can_import(self) -> bool:
        return False  # CSV reads it


class SemicolonCSV(ExcelCSV):
    """As Excel reads and writes CSV where a comma is the decimal sign; a comma there separates no columns."""

    title, delimiter = gettext_noop("CSV for Excel, with semicolons"), ";"


def csv_for_excel() -> type[CSV]:
    """Return the CSV that Excel opens with a double click where the current language is spoken."""
    language = (get_language() or "en").partition("-")[0]
    formats = import_module(f"django.conf.locale.{language}.formats")  # the project's are alike everywhere
    return SemicolonCSV if formats.DECIMAL_SEPARATOR == "," else ExcelCSV


def _first(records: Iterator[tuple[int, list[str]]]) -> tuple[int, Sequence[str]]:
    """Return the number and the names of the first row that is not blank.

    Raises:
        FileError: there is no such row.
    """
    for number, row in records:
        if names := without_blank_end([name.strip() for name in row]):
            return number, names
    raise FileError(_("The file is empty. Its first row must name the columns."))


def _records(source: bytes | Path, coded: Encoding, separated: Delimiter) -> Iterator[tuple[int, list[str]]]:
    """Yield all rows, the first too, with their numbers from 1.

    Raises:
        FileError: a row is not CSV.
    """
    with text_of(source, coded) as text:
        if separated.is_declared:
            text.readline()
        lines, number = _Lines(text), 0
        reader = csv.reader(lines, delimiter=separated.character, strict=True)
        try:
            for number, row in enumerate(reader, 1):
                lines.length = 0
                yield number, row
        except csv.Error as error:
            words = {"row": grouped(number + 1), "problem": error}
            raise FileError(
                _(
                    "Row %(row)s is not CSV: %(problem)s. A text in double quotes must end with one, and a double "
                    "quote in it must stand twice."
                )
                % words
            ) from error


class _Lines:
    """The lines of a text. Python would read one without an end whole, and as many as the texts of a row have.

    Attributes:
        length: the characters of the lines that were read for the current row.
    """

    def __init__(self, text: TextIO) -> None:
        self._text, self.length = text, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """Return the next line.

        Raises:
            FileError: the row is too long.
        """
        line = self._text.readline(LONGEST_ROW + 1)
        self.length += len(line)
        if self.length > LONGEST_ROW:
            raise long_row()
        if not line:
            raise StopIteration
        return line
