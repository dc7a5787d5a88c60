"""The file of the rows that were not written: the cells as they were uploaded, and what is wrong with each row."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from backoffice.kit.jobs.progress import Progress
from content.base.files import CSV, FORMATS, JSON, ExcelCSV, FileFormat, SemicolonCSV
from content.base.imports.mapping import added_headings
from content.base.imports.model import Import
from content.base.imports.problems import Problems
from content.base.imports.source import Source, problems_of
from content.base.tables import MISSING, CellError, FileError, Table


def failed_file(progress: Progress, *, pk: str) -> None:
    """Write the rows of an import that are wrong, in the format of its file, for download.

    Raises:
        PermissionDenied: the user may not import objects of this model.
        ValidationError: the file is gone.
    """
    record = Import.objects.get(pk=pk)
    name = f"{record.file_name.rpartition('.')[0] or record.file_name}-failed.{FORMATS[record.kind].extension}"
    try:
        source = Source.of(record, progress.user)
        file_format = _format(record.kind, source.table)
        with closing(problems_of(record)) as problems, progress.file(name, file_format.get_content_type()) as out:
            missing = MISSING if record.kind == JSON.title else None  # what a CSV row lacks is blank
            headers = [*source.table.headers, *_own(source.table.headers)]
            file_format.write(out, headers, _rows(source, problems, progress, missing=missing))
    except FileError as error:
        raise ValidationError(str(error)) from error


def _format(kind: str, table: Table) -> FileFormat:
    """Return the format of the file; of CSV the one that spreadsheet programs open."""
    if kind != CSV.title:
        return FORMATS[kind]()
    return SemicolonCSV() if table.found.delimiter == "semicolon" else ExcelCSV()


def _own(headers: Any) -> list[str]:
    """Return headings for the two columns that are added, which are not those of the file."""
    return [name if name not in headers else f"{name} *" for name in added_headings()]


def _rows(source: Source, problems: Problems, progress: Progress, *, missing: object) -> Iterator[list[object]]:
    wrong = iter(problems)
    number, messages = next(wrong, (None, []))
    for row, cells in source.table:
        while number is not None and number < row:
            number, messages = next(wrong, (None, []))
        if number is None:
            return
        if number == row:
            texts = [message if name == NON_FIELD_ERRORS else f"{name}: {message}" for name, message in messages]
            yield [*(_shown(cell, missing) for cell in cells), row, " ".join(texts)]
            progress.advance()


def _shown(cell: object, missing: object) -> object:
    """Return a cell as the file showed it."""
    if cell is MISSING:
        return missing
    return cell.shown if isinstance(cell, CellError) else cell
