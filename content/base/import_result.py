"""The result of an import: its rows, their problems and its preview."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError
from django.utils.safestring import SafeString
from import_export.fields import Field
from import_export.results import Error, Result, RowResult

from backoffice.kit.jobs.service import LOGGED
from content.base.differences import as_html
from content.base.files import FileError

log = logging.getLogger("content.import")
SHOWN = 500  # rows of a preview, and problems on a page


def words(error: Error) -> str:
    """Return the message for an error that the library caught. An error in the program is logged instead of shown."""
    if isinstance(error.error, FileError | ValueError):
        return str(error.error)
    if isinstance(error.error, IntegrityError):
        return "This can't be kept with what is stored now."
    log.error("an import failed", exc_info=error.error)
    return LOGGED


class ContentRow(RowResult):  # type: ignore[misc]
    number: int = 0  # in the file, from 1
    before: Mapping[str, Any]  # the object's values before the import, by attname


class ContentResult(Result):  # type: ignore[misc]
    """The result of all rows, for the preview page, which shows the `columns`, and for the job.

    `numbers` has the number in the file of each row.
    """

    WORDS = {"new": RowResult.IMPORT_TYPE_NEW, "changed": "update", "unchanged": RowResult.IMPORT_TYPE_SKIP}
    limit = SHOWN

    def __init__(self, numbers: Sequence[int], columns: Sequence[Field]) -> None:
        super().__init__()
        self.numbers, self.columns = numbers, columns

    def append_invalid_row(self, number: int, row: object, validation_error: ValidationError) -> None:
        super().append_invalid_row(self.numbers[number - 1], row, validation_error)

    def has_errors(self) -> bool:
        """Return whether a row or the file is wrong. To the library, invalid rows alone are no reason to roll back."""
        return bool(self.base_errors or self.error_rows or self.invalid_rows)

    def row_errors(self) -> list[tuple[int, list[Error]]]:
        """Return all wrong rows with their messages, as the library's command prints them."""
        return [(number, [Error(message)]) for number, message in self.wrong_rows()]

    def problems(self) -> list[tuple[int, str, str]]:
        """Return the first `limit` errors: `(row, column or "", message)`."""
        return self._all_problems()[: self.limit]

    def wrong_rows(self) -> list[tuple[int, str]]:
        """Return all wrong rows with their messages: `[(5, "body: This field cannot be blank."), …]`."""
        return [
            (number, " ".join(f"{name}: {message}" if name else message for _, name, message in problems))
            for number, problems in groupby(self._all_problems(), key=itemgetter(0))
        ]

    def base_problems(self) -> list[str]:
        """Return the messages about the file as a whole."""
        return [words(error) for error in self.base_errors]

    def _all_problems(self) -> list[tuple[int, str, str]]:
        problems = [
            (row.number, "" if name == NON_FIELD_ERRORS else name, message)
            for row in self.invalid_rows
            for name, messages in row.error_dict.items()
            for message in messages
        ]
        for row in self.error_rows:
            problems += [(self.numbers[row.number - 1], "", words(error)) for error in row.errors]
        return sorted(problems)

    def preview(self) -> Iterator[tuple[ContentRow, list[SafeString]]]:
        """Yield the first `limit` rows with their cells as HTML; rows that would change something come first."""
        rows = sorted(self.valid_rows(), key=RowResult.is_skip)[: self.limit]
        for row in sorted(rows, key=lambda row: (row.is_skip(), row.number)):
            yield row, [self._cell(row, column) for column in self.columns]

    def hidden(self) -> int:
        """Return how many rows the preview leaves out."""
        return max(0, len(self.valid_rows()) - self.limit)

    def _cell(self, row: ContentRow, column: Field) -> SafeString:
        new, old = column.export(row.instance), "" if row.is_new() else column.export(type(row.instance)(**row.before))
        if column.attribute == row.instance._meta.pk.attname:
            old = new = row.before[column.attribute]
        return as_html("" if old is None else str(old), "" if new is None else str(new))
