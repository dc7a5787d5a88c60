"""The job that writes the rows of an import, in slices: each a short transaction that begins where the last one ended.

The constraints:
1. Nobody waits for longer than a slice: its rows are read and judged before its transaction begins.
2. Killed anywhere, it goes on where it was and writes nothing twice: `written_to` moves in the slice's transaction.
3. Rows that pass on a unique value to each other are written at once, by the first slice (docs/adr/0025).
4. What became wrong since the file was judged is refused under the slice's locks; the other rows go on.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from backoffice.kit import clock
from backoffice.kit.batches import batched
from backoffice.kit.context import cause, caused_by
from backoffice.kit.history import newest_version
from backoffice.kit.jobs.progress import Progress
from backoffice.kit.jobs.service import AGAIN, TURN, Again
from content.base.imports.model import Import
from content.base.imports.problems import Problems
from content.base.imports.result import ContentResult, words
from content.base.imports.run import Pipeline
from content.base.imports.service import finish
from content.base.imports.source import Source, problems_of
from content.base.tables import FileError, Row

SLICE = 2_000  # rows of one transaction, some tenths of a second
TRIES = 3  # of a slice whose values somebody takes between its judgement and its writes


class StoppedError(Exception):
    """The import was cancelled, or another worker has written this slice. The slice is rolled back."""


def write(progress: Progress, *, pk: str) -> dict[str, int] | Again:
    """Write what is still to be written of an import.

    Raises:
        PermissionDenied: the user may not import objects of this model.
        ValidationError: the file is gone.
    """
    record = Import.objects.get(pk=pk)
    writing = Import.objects.filter(pk=pk, state=Import.State.WRITING)
    if record.state != Import.State.WRITING:
        return {}
    try:
        source = Source.of(record, progress.user)
        progress.total(sum(record.counts.values()))
        with closing(problems_of(record, is_late=True)) as problems:
            is_done = _Writer(record, source, problems, progress).write()
    except FileError as error:
        writing.update(state=Import.State.FAILED, error=str(error), finished_at=clock.now())
        raise ValidationError(str(error)) from error
    except IntegrityError as error:
        writing.update(state=Import.State.FAILED, error=words(error), finished_at=clock.now())
        raise ValidationError(words(error)) from error
    except StoppedError:
        return {}
    if not is_done:
        return AGAIN
    finish(record)
    counts: dict[str, int] = record.written
    return counts


class _Writer:
    def __init__(self, record: Import, source: Source, problems: Problems, progress: Progress) -> None:
        self.record, self.source, self.problems, self.progress = record, source, problems, progress

    def write(self) -> bool:
        """Write slice after slice; return whether it was the last one. Else the time of this turn is over."""
        until = time.monotonic() + TURN
        reason = replace(cause(), request_id=self.record.request_id, reason=self.record.reason)
        with caused_by(reason):
            for rows in self._slices():
                self._write(rows)
                if time.monotonic() > until:
                    return False
        return True

    def _slices(self) -> Iterator[list[Row]]:
        first = {*self.record.exchanged}
        if first and not self.record.is_exchanged:
            yield [row for row in self.source.table if row[0] in first]
        after = self.record.written_to
        yield from batched((row for row in self.source.table if row[0] > after and row[0] not in first), SLICE)

    def _write(self, rows: Sequence[Row]) -> None:
        refused = self.problems.judged_wrong(rows[0][0], rows[-1][0])
        slice_ = Pipeline(
            resource=self.source.rules,
            headers=self.source.headers,
            rows=[row for row in rows if row[0] not in refused],
            problems=self.problems,
            versions=self.source.versions(self.record),
            is_partial=True,
            on_written=lambda result: self._note(rows, result),
        )
        for tries_left in reversed(range(TRIES)):
            try:
                with self.problems:
                    slice_.write()
            except IntegrityError:
                if not tries_left:
                    raise
            else:
                return

    def _note(self, rows: Sequence[Row], result: ContentResult) -> None:
        """Move on, in the transaction of the slice.

        Raises:
            StoppedError: somebody else moved on, or cancelled the import.
        """
        record, totals = self.record, result.totals
        counts = {
            "new": totals["new"],
            "changed": totals["update"],
            "unchanged": totals["skip"],
            "failed": result.wrong_count,
        }
        is_exchange = bool(record.exchanged) and not record.is_exchanged
        moved = {
            "written": record.written | {name: record.written.get(name, 0) + count for name, count in counts.items()},
            "is_exchanged": is_exchange or record.is_exchanged,
            "written_to": record.written_to if is_exchange else rows[-1][0],
            "history_to": newest_version(self.source.rules.model),
        }
        ours = {"written_to": record.written_to, "is_exchanged": record.is_exchanged}
        if not Import.objects.filter(pk=record.pk, state=Import.State.WRITING, **ours).update(**moved):
            raise StoppedError
        self.progress.advance(len(rows))
        for name, value in moved.items():
            setattr(record, name, value)
