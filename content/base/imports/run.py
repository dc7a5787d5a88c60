"""One import from its file to its end: read, judge, write."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from django.db import transaction

from content.base.headings import match_headings
from content.base.imports.end_state import judge
from content.base.imports.result import ContentResult
from content.base.imports.rows import Reader
from content.base.imports.staging import Stage
from content.base.imports.writing import write
from content.base.tables import FileError, Table


class Import:
    """The import of a file with a resource.

    1. The rows are read, judged one by one and put into a temporary table. Nothing is locked, however long it takes.
    2. In a transaction, the objects that the file changes are locked. If somebody wrote one of them since it was read,
       all begins again, now with each object locked when it is read.
    3. The database judges what depends on other rows, and the rows are written from the temporary table.

    Args:
        first: how many rows to judge; None for all.
        on_written: called at the end of the transaction.
    """

    def __init__(
        self, resource: Any, dataset: Any, *, first: int | None, on_written: Callable[[ContentResult], None]
    ) -> None:
        self.resource, self.first, self.on_written = resource, first, on_written
        self.headers: Sequence[str] = dataset.headers or ()
        self.dataset = dataset
        headings = match_headings(self.headers, labels := resource.labels())
        self.headers = headings.names
        if headings.unknown:
            raise FileError(
                f"There is no column {', '.join(headings.unknown)}. The columns may be: {', '.join(labels)}."
            )

    def preview(self) -> ContentResult:
        """Judge the rows, and write nothing."""
        with Stage(self.resource.model) as stage:
            result = self._read(stage, is_locking=False)
            self._judge(stage, result)
        return result

    def write(self) -> ContentResult:
        """Write the rows if all of them are right.

        Raises:
            IntegrityError: the database refuses them all the same.
        """
        return self._attempt(is_locking=False) or self._attempt(is_locking=True)  # type: ignore[return-value]

    def _attempt(self, *, is_locking: bool) -> ContentResult | None:
        """Return the result; None if an object was written by somebody else after it was read."""
        with transaction.atomic() if is_locking else nullcontext(), Stage(self.resource.model) as stage:
            moment = stage.moment()
            result = self._read(stage, is_locking=is_locking)
            with transaction.atomic():
                if not is_locking:
                    stage.lock()
                    if stage.is_stale(moment):
                        return None
                self._judge(stage, result)
                if not result.has_errors():
                    write(stage, self.resource)
                    self.on_written(result)
        return result

    def _read(self, stage: Stage, *, is_locking: bool) -> ContentResult:
        result = ContentResult(self.resource.get_import_fields())
        rows = self.dataset if isinstance(self.dataset, Table) else enumerate(self.dataset, 1)  # the library's Dataset
        Reader(self.resource, stage, result, is_locking=is_locking).read(self.headers, rows, self.first)
        stage.complete()
        return result

    def _judge(self, stage: Stage, result: ContentResult) -> None:
        for rule, number, name, message in judge(stage, is_whole=result.judged_rows == result.total_rows):
            result.refuse_also(number, name, message, about=rule.names, is_alone=rule.is_alone)
        result.count(stage.counts())
