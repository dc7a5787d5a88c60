"""The result of an import: how many rows it has of each kind, and of the first ones what changes or is wrong."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import DatabaseError
from django.utils.safestring import SafeString
from import_export.fields import Field
from import_export.results import Error, Result, RowResult

from backoffice.kit.jobs.service import LOGGED
from content.base.differences import as_html
from content.base.imports.staging import CHANGED, NEW, UNCHANGED
from content.base.tables import FileError

log = logging.getLogger("content.import")
SHOWN = 500  # rows of a preview, and wrong rows that are named
TYPES = {NEW: RowResult.IMPORT_TYPE_NEW, CHANGED: RowResult.IMPORT_TYPE_UPDATE, UNCHANGED: RowResult.IMPORT_TYPE_SKIP}


def words(error: Exception) -> str:
    """Return the message for an error. An error in the program is logged instead of shown."""
    if isinstance(error, FileError | ValueError):
        return str(error)
    if isinstance(error, DatabaseError):
        return "This can't be kept with what is stored now."
    log.error("an import failed", exc_info=error)
    return LOGGED


class ContentRow(RowResult):  # type: ignore[misc]
    """A row that is right: its `number` in the file, and the object with the values `before` and after."""

    def __init__(self, number: int, kind: str, instance: Any, before: Mapping[str, Any]) -> None:
        super().__init__()
        self.number, self.import_type, self.instance, self.before = number, TYPES[kind], instance, before


class ContentResult(Result):  # type: ignore[misc]
    """The result of all rows, for the preview page, which shows the `columns`, and for the job.

    It keeps at most `limit` rows of a kind, so that memory does not grow with the file; `totals` counts all.
    """

    WORDS = {"new": RowResult.IMPORT_TYPE_NEW, "changed": "update", "unchanged": RowResult.IMPORT_TYPE_SKIP}
    limit = SHOWN

    def __init__(self, columns: Sequence[Field]) -> None:
        super().__init__()
        self.columns = columns
        self.diff_headers = [column.column_name for column in columns]
        self.judged_rows = 0  # of `total_rows`; fewer if a preview leaves the rest to the import
        self.wrong: dict[int, dict[str, list[str]]] = {}  # messages by row and field
        self.writes: list[ContentRow] = []
        self.unchanged: list[ContentRow] = []

    # --- filling -----------------------------------------------------------------------------------------------------
    def accept(self, row: ContentRow) -> None:
        rows = self.unchanged if row.is_skip() else self.writes
        if len(rows) < self.limit:
            rows.append(row)

    def refuse(self, number: int, errors: Mapping[str, Sequence[ValidationError]]) -> None:
        """Keep what is wrong with a row; rows come in the file's order."""
        if len(self.wrong) < self.limit:
            self.wrong[number] = ValidationError({**errors}).message_dict
        self.totals[RowResult.IMPORT_TYPE_INVALID] += 1

    def refuse_also(self, number: int, name: str, message: str, *, about: frozenset[str], is_alone: bool) -> None:
        """Keep a message about a row that was read; see `end_state.Rule`."""
        known = self.wrong.setdefault(number, {})
        if is_alone:
            self.wrong[number] = {name: [message]}
        elif about.isdisjoint(known):
            known.setdefault(name, []).append(message)

    def count(self, kinds: Mapping[str, int]) -> None:
        """Take over the numbers of all rows: `{"+": 3, "wrong": 1}`."""
        self.totals |= {name: kinds.get(kind, 0) for kind, name in TYPES.items()}
        self.totals[RowResult.IMPORT_TYPE_INVALID] = kinds.get("wrong", 0)
        self.wrong = dict(sorted(self.wrong.items())[: self.limit])

    def fail(self, error: Exception) -> None:
        """Refuse the file as a whole."""
        self.append_base_error(Error(words(error)))

    # --- reading -----------------------------------------------------------------------------------------------------
    @property
    def wrong_count(self) -> int:
        count: int = self.totals[RowResult.IMPORT_TYPE_INVALID]
        return count

    def has_errors(self) -> bool:
        """Return whether a row or the file is wrong. To the library, invalid rows alone are no reason to roll back."""
        return bool(self.base_errors or self.wrong_count)

    def row_errors(self) -> list[tuple[int, list[Error]]]:
        """Return the wrong rows with their messages, as the library's command prints them."""
        return [(number, [Error(message)]) for number, message in self.wrong_rows()]

    def problems(self) -> list[tuple[int, str, str]]:
        """Return what is wrong with the first wrong rows, at most `limit`: `(row, column or "", message)`."""
        problems = [
            (number, "" if name == NON_FIELD_ERRORS else name, message)
            for number, errors in self.wrong.items()
            for name, messages in errors.items()
            for message in messages
        ]
        return sorted(problems)[: self.limit]

    def wrong_rows(self) -> list[tuple[int, str]]:
        """Return the first wrong rows with their messages: `[(5, "body: This field cannot be blank."), …]`."""
        rows: dict[int, list[str]] = {}
        for number, name, message in self.problems():
            rows.setdefault(number, []).append(f"{name}: {message}" if name else message)
        return [(number, " ".join(messages)) for number, messages in rows.items()]

    def base_problems(self) -> list[str]:
        """Return the messages about the file as a whole."""
        return [str(error.error) for error in self.base_errors]

    def preview(self) -> Iterator[tuple[ContentRow, list[SafeString]]]:
        """Yield the first `limit` rows with their cells as HTML; rows that would change something come first."""
        for row in [*self.writes, *self.unchanged][: self.limit]:
            yield row, [self._cell(row, column) for column in self.columns]

    def hidden(self) -> int:
        """Return how many rows the preview leaves out."""
        return max(0, int(self.total_rows) - self.limit)

    def _cell(self, row: ContentRow, column: Field) -> SafeString:
        new, old = column.export(row.instance), "" if row.is_new() else column.export(type(row.instance)(**row.before))
        if column.attribute == row.instance._meta.pk.attname:
            old = new = row.before[column.attribute]
        return as_html("" if old is None else str(old), "" if new is None else str(new))
