"""The result of an import: how many rows it has of each kind, and of the first ones what changes or is wrong."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.db import DatabaseError
from django.utils.translation import gettext as _
from import_export.fields import Field
from import_export.results import Error, Result, RowResult

from backoffice.kit.jobs.service import LOGGED
from backoffice.kit.phrase_field import localized
from content.base.imports.problems import Problem
from content.base.imports.staging import CHANGED, CONFLICT, NEW, UNCHANGED
from content.base.tables import FileError

log = logging.getLogger("content.import")
SHOWN = 500  # rows of a preview, and wrong rows that are named
TYPES = {NEW: RowResult.IMPORT_TYPE_NEW, CHANGED: RowResult.IMPORT_TYPE_UPDATE, UNCHANGED: RowResult.IMPORT_TYPE_SKIP}


def words(error: Exception) -> str:
    """Return the message for an error. An error in the program is logged instead of shown."""
    if isinstance(error, FileError | ValueError):
        return str(error)
    if isinstance(error, DatabaseError):
        return _("This can't be kept with what is stored now.")
    log.error("an import failed", exc_info=error)
    return localized(LOGGED)


class ContentRow(RowResult):  # type: ignore[misc]
    """A row that is right: its `number` in the file, and the object with the values `before` and after."""

    def __init__(self, number: int, kind: str, instance: Any, before: Mapping[str, Any]) -> None:
        super().__init__()
        self.number, self.import_type, self.instance, self.before = number, TYPES[kind], instance, before


class ContentResult(Result):  # type: ignore[misc]
    """The result of all rows.

    It keeps at most `limit` rows of a kind, so that memory does not grow with the file; `totals` counts all.
    """

    WORDS = {"new": RowResult.IMPORT_TYPE_NEW, "changed": "update", "unchanged": RowResult.IMPORT_TYPE_SKIP}
    limit = SHOWN

    def __init__(self, columns: Sequence[Field]) -> None:
        super().__init__()
        self.columns = columns
        self.diff_headers = [column.column_name for column in columns]
        self.moment = ""  # when the rows began to be read, `Stage.moment`
        self.conflicts = 0  # rows whose objects somebody else changed
        self.changes: Counter[frozenset[str]] = Counter()  # changed rows by the names of the changed fields
        self.exchanged: list[int] = []  # the rows that pass on unique values
        self.named: list[Problem] = []  # the problems of the first wrong rows, at most `limit`
        self.writes: list[ContentRow] = []
        self.unchanged: list[ContentRow] = []

    # --- filling -----------------------------------------------------------------------------------------------------
    def accept(self, row: ContentRow, changed: Iterable[str]) -> None:
        rows = self.unchanged if row.is_skip() else self.writes
        if len(rows) < self.limit:
            rows.append(row)
        if row.is_update():
            self.changes[frozenset(changed)] += 1

    def count(self, kinds: Mapping[str, int], named: list[Problem]) -> None:
        """Take over the numbers of all rows, `{"+": 3, "wrong": 1}`, and the first problems."""
        self.totals |= {name: kinds.get(kind, 0) for kind, name in TYPES.items()}
        self.totals[RowResult.IMPORT_TYPE_INVALID] = kinds.get("wrong", 0)
        self.conflicts, self.named = kinds.get(CONFLICT, 0), named

    def fail(self, error: Exception) -> None:
        """Refuse the file as a whole."""
        self.append_base_error(Error(words(error)))

    # --- reading -----------------------------------------------------------------------------------------------------
    @property
    def wrong_count(self) -> int:
        """The rows that can't be written, with the conflicts."""
        count: int = self.totals[RowResult.IMPORT_TYPE_INVALID]
        return count + self.conflicts

    def has_errors(self) -> bool:
        """Return whether a row or the file is wrong. To the library, invalid rows alone are no reason to roll back."""
        return bool(self.base_errors or self.wrong_count)

    def row_errors(self) -> list[tuple[int, list[Error]]]:
        """Return the wrong rows with their messages, as the library's command prints them."""
        return [(number, [Error(message)]) for number, message in self.wrong_rows()]

    def problems(self) -> list[tuple[int, str, str]]:
        """Return what is wrong with the first wrong rows, at most `limit`: `(row, column or "", message)`."""
        return [(number, "" if name == NON_FIELD_ERRORS else name, message) for number, name, message in self.named]

    def wrong_rows(self) -> list[tuple[int, str]]:
        """Return the first wrong rows with their messages: `[(5, "body: A value is missing. Write one."), …]`."""
        rows: dict[int, list[str]] = {}
        for number, name, message in self.problems():
            rows.setdefault(number, []).append(f"{name}: {message}" if name else message)
        return [(number, " ".join(messages)) for number, messages in rows.items()]

    def base_problems(self) -> list[str]:
        """Return the messages about the file as a whole."""
        return [str(error.error) for error in self.base_errors]

    def preview(self) -> Iterator[tuple[ContentRow, list[tuple[str, str]]]]:
        """Yield the first `limit` rows with their cells, old and new; rows that would change something come first."""
        for row in [*self.writes, *self.unchanged][: self.limit]:
            yield row, [self._cell(row, column) for column in self.columns]

    def _cell(self, row: ContentRow, column: Field) -> tuple[str, str]:
        new, old = column.export(row.instance), "" if row.is_new() else column.export(type(row.instance)(**row.before))
        if column.attribute == row.instance._meta.pk.attname:
            old = new = row.before[column.attribute]
        return "" if old is None else str(old), "" if new is None else str(new)
