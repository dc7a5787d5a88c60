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
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

import openpyxl
import tablib
from import_export.formats.base_formats import Format
from openpyxl.utils.exceptions import InvalidFileException

MAX_ROWS = 10_000  # one transaction writes 500 to 1,000 a second, and SQLite's other writers time out after 20 s
MAX_COLUMNS = 200
MAX_UNPACKED = 200_000_000  # bytes of an unpacked workbook; 10,000 rows take a tenth of that
MAX_SHEET = 1_048_575  # rows below the header of an XLSX sheet
MISSING = object()  # the cell of a key that a JSON record lacks

FORMULA = re.compile(r"'*[=+\-@\t\r]")
ESCAPED = re.compile(r"'+[=+\-@\t\r]")
# ECMA-376 part 1, 22.9.2.19 (ST_Xstring): characters that XML can't hold are written _xHHHH_, and so is text of that
# form.
XLSX_WRITE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
XLSX_READ = re.compile(r"_x([0-9A-Fa-f]{4})_")


class FileError(Exception):
    """The file can't be read or written. The message says where and what to do."""


class Table(tablib.Dataset):  # type: ignore[misc]
    """Rows with headers. `numbers[i]` is the number of row i in the file, from 1."""

    numbers: Sequence[int]


def escape(cell: object) -> object:
    """Return the cell with a `'` before a text that a spreadsheet would run; any other cell unchanged."""
    return f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) else cell


def unescape(cell: object) -> object:
    """Return the cell that `escape` was given."""
    return cell[1:] if isinstance(cell, str) and ESCAPED.match(cell) else cell


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


def table(headers: Sequence[str], rows: Iterable[tuple[int, Sequence[object]]]) -> Table:
    """Return the rows, `(number, cells)`, under their headers, without the rows of which every cell is empty.

    Raises:
        FileError: a header is empty or repeated, a row is not as long as the header, a text can't be encoded as UTF-8,
            or there are too many columns or rows.
    """
    if len(headers) > MAX_COLUMNS:
        problem = f"The file has {len(headers):,} columns, more than {MAX_COLUMNS}."
        raise FileError(f"{problem} Take those away that are not ours.")
    if doubles := sorted(name for name, times in Counter(headers).items() if times > 1):
        raise FileError(f"The column {doubles[0]} is in the file twice. Take one away.")
    check_text(1, headers)
    if not all(headers):
        raise FileError("A column has no name. The first row must name every column.")
    result = Table(headers=headers)
    numbers: list[int] = []
    for number, cells in rows:
        if all(cell in ("", None) for cell in cells):
            continue
        if len(cells) != len(headers):
            raise FileError(
                f"Row {number} has {len(cells)} cells, but {len(headers)} columns are named in row 1. "
                "A text that holds a comma, a quote or a line break must stand in double quotes."
            )
        check_text(number, cells)
        if len(numbers) == MAX_ROWS:
            raise FileError(f"The file has more than {MAX_ROWS:,} rows. Split it.")
        result.append(cells)
        numbers.append(number)
    result.numbers = numbers
    return result


def decode(data: bytes, title: str) -> str:
    """Return UTF-8 text, with or without a byte order mark, as a string.

    Raises:
        FileError: the data is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wrong = f"The file is not UTF-8 text (byte {error.start + 1} is wrong)."
        raise FileError(f"{wrong} Save it as {title} with the encoding UTF-8, or use XLSX.") from error


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

    def create_dataset(self, in_stream: bytes) -> Table:
        reader = csv.reader(io.StringIO(decode(in_stream, "CSV"), newline=""), strict=True)
        try:
            rows = list(enumerate(reader, 1))
        except csv.Error as error:
            raise FileError(f"Row {reader.line_num} is not CSV: {error}.") from error
        if not rows:
            raise FileError("The file is empty. Its first row must name the columns.")
        headers = [name.strip() for name in rows[0][1]]
        return table(headers, ((number, [unescape(cell) for cell in row]) for number, row in rows[1:]))

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

    def create_dataset(self, in_stream: bytes) -> Table:
        try:
            with zipfile.ZipFile(io.BytesIO(in_stream)) as archive:
                if sum(part.file_size for part in archive.infolist()) > MAX_UNPACKED:
                    size = f"The workbook unpacks to more than {MAX_UNPACKED // 10**6} MB."
                    raise FileError(f"{size} Keep its first sheet only, or save it as CSV.")
            book = openpyxl.load_workbook(io.BytesIO(in_stream), read_only=True, data_only=True)
            rows = book.worksheets[0].iter_rows(values_only=True)
            headers = [str(name or "").strip() for name in next(rows, ())]
            width = len(headers)
            while width and not headers[width - 1]:
                width -= 1
            return table(headers[:width], self._cells(rows, width))
        except (InvalidFileException, zipfile.BadZipFile, KeyError, IndexError, ValueError, SyntaxError) as error:
            raise FileError("The file is not an XLSX workbook, or it is damaged. Save it again as XLSX.") from error

    def _cells(self, rows: Iterator[tuple[object, ...]], width: int) -> Iterator[tuple[int, list[object]]]:
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

    def create_dataset(self, in_stream: bytes) -> Table:
        try:
            records = json.loads(decode(in_stream, "JSON"))
        except (ValueError, RecursionError) as error:
            raise FileError(f"The file is not JSON: {error}.") from error
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise FileError('The file must hold a list of objects, such as [{"id": 1, …}, {"id": 2, …}].')
        for number, record in enumerate(records, 1):
            check_text(number, record)
        headers = list(dict.fromkeys(name for record in records for name in record))
        rows = ([record.get(name, MISSING) for name in headers] for record in records)
        return table(headers, enumerate(rows, 1))

    def write(self, out: BinaryIO, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        before = "[\n"
        for row in rows:
            record = dict(zip(headers, row, strict=True))
            out.write(f"{before}{json.dumps(record, ensure_ascii=False, indent=1, default=str)}".encode())
            before = ",\n"
        out.write(b"[]" if before == "[\n" else b"\n]")


FORMATS: dict[str, type[_Format]] = {kind.title: kind for kind in (CSV, XLSX, JSON)}
