"""The file formats of import and export: CSV, XLSX and JSON, read strictly and written without loss.

Spreadsheet programs run a cell that begins with `=`, `+`, `-` or `@` as a formula
(https://owasp.org/www-community/attacks/CSV_Injection). So CSV and XLSX are written with one `'` before such a text,
and one `'` is removed on reading. A text that has such quotes already gets one more, so nothing is lost.
"""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import openpyxl
from import_export.formats.base_formats import Format
from openpyxl.utils.exceptions import InvalidFileException

from content.base import json_items
from content.base.tables import MISSING, FileError, Row, Table, check_text, opened, text_of

MAX_UNPACKED = 200_000_000  # bytes of an unpacked workbook, of which the texts are kept in memory; 100,000 rows
MAX_SHEET = 1_048_575  # rows below the header of an XLSX sheet
NOT_RECORDS = 'The file must hold a list of objects, such as [{"id": 1, …}, {"id": 2, …}].'

FORMULA = re.compile(r"'*[=+\-@\t\r]")
ESCAPED = re.compile(r"'+[=+\-@\t\r]")
# ECMA-376 part 1, 22.9.2.19 (ST_Xstring): characters that XML can't hold are written _xHHHH_, and so is text of that
# form.
XLSX_WRITE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
XLSX_READ = re.compile(r"_x([0-9A-Fa-f]{4})_")


def escape(cell: object) -> object:
    """Return the cell with a `'` before a text that a spreadsheet would run; any other cell unchanged."""
    return f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) else cell


def unescape(cell: object) -> object:
    """Return the cell that `escape` was given."""
    return cell[1:] if isinstance(cell, str) and ESCAPED.match(cell) else cell


class _Format(Format):  # type: ignore[misc]
    """The base of the formats. The library's `is_binary` stays set, so line breaks in texts are not translated."""

    title: str
    extension: str
    content_type: str

    def __init__(self, encoding: str | None = None) -> None:
        self.encoding = encoding

    def get_title(self) -> str:
        return self.title

    def get_extension(self) -> str:
        return self.extension

    def get_content_type(self) -> str:
        return self.content_type

    def can_import(self) -> bool:
        return True

    def can_export(self) -> bool:
        return True

    def write(self, out: BinaryIO, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Write the rows one by one: memory does not grow with their number.

        Raises:
            FileError: the format can't hold so many rows.
        """
        raise NotImplementedError


class CSV(_Format):
    title, extension, content_type = "CSV", "csv", "text/csv; charset=utf-8"

    def create_dataset(self, in_stream: bytes | Path) -> Table:
        return Table(next(self._rows(in_stream))[1], lambda: islice(self._rows(in_stream), 1, None))

    def _rows(self, source: bytes | Path) -> Iterator[Row]:
        with text_of(source, "CSV") as text:
            reader, number = csv.reader(text, strict=True), 0
            try:
                for number, row in enumerate(reader, 1):
                    yield number, [name.strip() for name in row] if number == 1 else [unescape(cell) for cell in row]
            except csv.Error as error:
                raise FileError(f"Row {reader.line_num} is not CSV: {error}.") from error
        if not number:
            raise FileError("The file is empty. Its first row must name the columns.")

    def write(self, out: BinaryIO, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        text = io.TextIOWrapper(out, encoding="utf-8", newline="")
        writer = csv.writer(text)
        writer.writerow(headers)
        writer.writerows([escape(cell) for cell in row] for row in rows)
        text.detach()  # flushes, and leaves `out` open


class XLSX(_Format):
    title, extension = "XLSX", "xlsx"
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    max_sheet = MAX_SHEET

    def create_dataset(self, in_stream: bytes | Path) -> Table:
        headers = next(self._rows(in_stream), (1, []))[1]
        return Table(headers, lambda: islice(self._rows(in_stream), 1, None))

    def _rows(self, source: bytes | Path) -> Iterator[Row]:
        try:
            with opened(source) as file:
                with zipfile.ZipFile(file) as archive:
                    if sum(part.file_size for part in archive.infolist()) > MAX_UNPACKED:
                        size = f"The workbook unpacks to more than {MAX_UNPACKED // 10**6} MB."
                        raise FileError(f"{size} Keep its first sheet only, or save it as CSV.")
                with closing(openpyxl.load_workbook(file, read_only=True, data_only=True)) as book:
                    yield from self._cells(book.worksheets[0].iter_rows(values_only=True))
        except (InvalidFileException, zipfile.BadZipFile, KeyError, IndexError, ValueError, SyntaxError) as error:
            raise FileError("The file is not an XLSX workbook, or it is damaged. Save it again as XLSX.") from error

    def _cells(self, rows: Iterator[tuple[object, ...]]) -> Iterator[Row]:
        headers = [str(name or "").strip() for name in next(rows, ())]
        width = len(headers)
        while width and not headers[width - 1]:
            width -= 1
        yield 1, headers[:width]
        for number, row in enumerate(rows, 2):
            cells = list(row) + [None] * (width - len(row))
            while len(cells) > width and cells[-1] is None:
                cells.pop()
            yield number, [self._read(cell) for cell in cells]

    def _read(self, cell: object) -> object:
        if not isinstance(cell, str):
            return cell
        return unescape(XLSX_READ.sub(lambda match: chr(int(match[1], 16)), cell))

    def _write(self, cell: object) -> object:
        if not isinstance(cell, str):
            return cell
        return XLSX_WRITE.sub(lambda match: f"_x{ord(match[0]):04X}_", str(escape(cell)))

    def write(self, out: BinaryIO, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("Export")
        sheet.freeze_panes = "A2"
        sheet.append(headers)
        for number, row in enumerate(rows, 1):
            if number > self.max_sheet:
                sheet.close()
                most = f"A sheet holds at most {self.max_sheet:,} rows."
                raise FileError(f"{most} Choose CSV or JSON, or filter the list.")
            sheet.append([self._write(cell) for cell in row])
        book.save(out)


class JSON(_Format):
    title, extension, content_type = "JSON", "json", "application/json"

    def create_dataset(self, in_stream: bytes | Path) -> Table:
        names: dict[str, None] = {}
        for number, record in self._records(in_stream):
            if not names.keys() >= record.keys():
                check_text(number, record)
                names |= dict.fromkeys(record)
        headers = list(names)
        return Table(
            headers,
            lambda: (
                (number, [record.get(name, MISSING) for name in headers]) for number, record in self._records(in_stream)
            ),
        )

    def _records(self, source: bytes | Path) -> Iterator[tuple[int, dict[str, object]]]:
        with text_of(source, "JSON") as text:
            try:
                for number, record in enumerate(json_items.items(text), 1):
                    if not isinstance(record, dict):
                        raise FileError(NOT_RECORDS)
                    yield number, record
            except json_items.NotAListError as error:
                raise FileError(NOT_RECORDS) from error
            except UnicodeDecodeError:
                raise  # to `text_of`
            except (ValueError, RecursionError) as error:
                raise FileError(f"The file is not JSON: {error}.") from error

    def write(self, out: BinaryIO, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        before = "[\n"
        for row in rows:
            record = dict(zip(headers, row, strict=True))
            out.write(f"{before}{json.dumps(record, ensure_ascii=False, indent=1, default=str)}".encode())
            before = ",\n"
        out.write(b"[]" if before == "[\n" else b"\n]")


FORMATS: dict[str, type[_Format]] = {kind.title: kind for kind in (CSV, XLSX, JSON)}
