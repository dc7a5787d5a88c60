"""The file formats of import and export: CSV, XLSX and JSON, read strictly and written so that they come back exact.

Spreadsheet programs run a cell that begins with `=`, `+`, `-` or `@` as a formula
(https://owasp.org/www-community/attacks/CSV_Injection), so such texts leave CSV and XLSX with one `'` in front, and
one is taken away when they come back. Texts that have such quotes already get one more, so that nothing is lost.
"""

import csv
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

import openpyxl
import tablib
from import_export.formats.base_formats import Format
from openpyxl.utils.exceptions import InvalidFileException

MAX_ROWS = 10_000  # 500 to 1,000 a second are written in one transaction, and SQLite's other writers wait 20 s
MAX_COLUMNS = 200
MAX_UNPACKED = 200_000_000  # bytes that a workbook may unpack to; 10,000 rows are a tenth of it
MAX_SHEET = 1_048_575  # rows under the header that a sheet of XLSX can hold
MISSING = object()  # a JSON record's cell whose key is absent

FORMULA = re.compile(r"'*[=+\-@\t\r]")
ESCAPED = re.compile(r"'+[=+\-@\t\r]")
# ECMA-376 part 1, 22.9.2.19 (ST_Xstring): what XML can't hold is written _xHHHH_, and so is a text that looks like it.
XLSX_WRITE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
XLSX_READ = re.compile(r"_x([0-9A-Fa-f]{4})_")


class FileError(Exception):
    """The file can't be read. The message says where and what to do."""


class Table(tablib.Dataset):  # type: ignore[misc]
    """Rows with headers that know where in the file they were: `numbers[i]` is the place of row i, from 1."""

    numbers: Sequence[int]


def escape(cell: Any) -> Any:
    """A text that a spreadsheet would run, made harmless; anything else as it is."""
    return f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) else cell


def unescape(cell: Any) -> Any:
    """The opposite of `escape`."""
    return cell[1:] if isinstance(cell, str) and ESCAPED.match(cell) else cell


def check_text(number: int, cells: Iterable[Any]) -> None:
    """Refuse what JSON and XLSX can spell but no UTF-8 text can hold.

    Raises:
        FileError: a text in the row holds half of a surrogate pair.
    """
    try:
        for cell in cells:
            if isinstance(cell, str):
                cell.encode()
    except UnicodeEncodeError as error:
        raise FileError(
            f"Row {number} holds U+{ord(error.object[error.start]):04X}, which is an unpaired surrogate. Remove it."
        ) from error


def table(headers: Sequence[str], rows: Iterable[tuple[int, Sequence[Any]]]) -> Table:
    """The rows, `(number, cells)`, under their headers; rows of which every cell is empty are left out.

    Raises:
        FileError: a header is empty or there twice, a row is not as long as the header, a text is no UTF-8, or there
            are too many columns or rows.
    """
    if len(headers) > MAX_COLUMNS:
        raise FileError(
            f"The file has {len(headers):,} columns, more than {MAX_COLUMNS}. Take those away that are not ours."
        )
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
    """UTF-8 text, with or without a byte order mark."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(
            f"The file is not UTF-8 text (byte {error.start + 1} is wrong). "
            f"Save it as {title} with the encoding UTF-8, or use XLSX."
        ) from error


class _Format(Format):  # type: ignore[misc]
    """What the three have in common. `is_binary` keeps line breaks inside texts from being translated."""

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

    def write(self, out: BinaryIO, headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write the rows as they come: memory does not grow with their number.

        Raises:
            FileError: the format can't hold so many.
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

    def write(self, out: BinaryIO, headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        text = io.TextIOWrapper(out, encoding="utf-8", newline="")
        writer = csv.writer(text)
        writer.writerow(headers)
        writer.writerows([escape(cell) for cell in row] for row in rows)
        text.detach()  # flushes; `out` stays open


class XLSX(_Format):
    title, extension = "XLSX", "xlsx"
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    max_sheet = MAX_SHEET

    def create_dataset(self, in_stream: bytes) -> Table:
        try:
            self._check_size(in_stream)
            book = openpyxl.load_workbook(io.BytesIO(in_stream), read_only=True, data_only=True)
            rows = book.worksheets[0].iter_rows(values_only=True)
            headers = [str(name or "").strip() for name in next(rows, ())]
            width = len(headers)
            while width and not headers[width - 1]:
                width -= 1
            return table(headers[:width], self._cells(rows, width))
        except (InvalidFileException, zipfile.BadZipFile, KeyError, IndexError, ValueError, SyntaxError) as error:
            raise FileError("The file is not an XLSX workbook, or it is damaged. Save it again as XLSX.") from error

    def _check_size(self, data: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(part.file_size for part in archive.infolist())
        if size > MAX_UNPACKED:
            raise FileError(
                f"The workbook unpacks to more than {MAX_UNPACKED // 10**6} MB. "
                "Keep its first sheet only, or save it as CSV."
            )

    def _cells(self, rows: Iterator[tuple[Any, ...]], width: int) -> Iterator[tuple[int, list[Any]]]:
        for number, row in enumerate(rows, 2):
            cells = list(row) + [None] * (width - len(row))
            while len(cells) > width and cells[-1] is None:
                cells.pop()
            yield number, [self._read(cell) for cell in cells]

    def _read(self, cell: Any) -> Any:
        if not isinstance(cell, str):
            return cell
        return unescape(XLSX_READ.sub(lambda found: chr(int(found[1], 16)), cell))

    def _write(self, cell: Any) -> Any:
        if not isinstance(cell, str):
            return cell
        return XLSX_WRITE.sub(lambda found: f"_x{ord(found[0]):04X}_", escape(cell))

    def write(self, out: BinaryIO, headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("Export")
        sheet.freeze_panes = "A2"
        sheet.append(headers)
        for number, row in enumerate(rows, 1):
            if number > self.max_sheet:
                sheet.close()
                raise FileError(
                    f"A sheet holds at most {self.max_sheet:,} rows. Choose CSV or JSON, or filter the list."
                )
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

    def write(self, out: BinaryIO, headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        before = "[\n"
        for row in rows:
            record = dict(zip(headers, row, strict=True))
            out.write(f"{before}{json.dumps(record, ensure_ascii=False, indent=1, default=str)}".encode())
            before = ",\n"
        out.write(b"[]" if before == "[\n" else b"\n]")


FORMATS: dict[str, type[_Format]] = {kind.title: kind for kind in (CSV, XLSX, JSON)}
