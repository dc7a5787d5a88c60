"""The job that reads and judges the file of an import, and writes nothing of it."""

from contextlib import closing
from typing import Any

from django.core.exceptions import ValidationError

from backoffice.kit import clock
from backoffice.kit.jobs.progress import Progress
from content.base.imports import service
from content.base.imports.mapping import HeadingError
from content.base.imports.model import Import
from content.base.imports.result import ContentResult
from content.base.imports.run import Pipeline
from content.base.imports.source import Source, problems_of
from content.base.tables import FileError
from syncer import public

LETTERS = 400_000  # of the first rows, which the page shows
LONGEST = 4_000  # letters of one cell


def read(progress: Progress, *, pk: str) -> dict[str, int]:
    """Read and judge a file; then it waits for a person, unless it is confirmed already.

    Raises:
        PermissionDenied: the user may not import objects of this model.
        ValidationError: the file can't be read.
    """
    record = Import.objects.get(pk=pk)
    reading = Import.objects.filter(pk=pk, state=Import.State.READING)
    try:
        source = Source.of(record, progress.user)
        progress.total(sum(1 for _ in source.table))
        with closing(problems_of(record)) as problems, problems:
            result = Pipeline(
                resource=source.rules,
                headers=source.headers,
                rows=source.table,
                problems=problems,
                versions=source.versions(record),
                is_partial=True,
                on_page=progress.advance,
            ).preview()
    except FileError as error:
        headings = error.headings if isinstance(error, HeadingError) else []
        reading.update(state=Import.State.FAILED, error=str(error), finished_at=clock.now(), headings=headings)
        raise ValidationError(str(error)) from error
    found = _found(source, result)
    counts: dict[str, int] = found["counts"]
    if reading.update(state=Import.State.READY, **found) and record.is_confirmed:
        service.write(Import.objects.get(pk=pk), here=sum(counts.values()) <= service.HERE)
    return counts


def _found(source: Source, result: ContentResult) -> dict[str, Any]:
    """Return what the page shows of a file that was judged."""
    new, changes = result.totals["new"], result.changes
    return {
        "headings": list(source.table.headers),
        "columns": source.columns,
        "found": str(source.table.found)[:512],
        "moment": result.moment,
        "counts": {
            "new": new,
            "changed": result.totals["update"],
            "unchanged": result.totals["skip"],
            "conflict": result.conflicts,
            "wrong": result.wrong_count - result.conflicts,
        },
        "rows": _shown(result),
        "exchanged": result.exchanged,
        "requests": [vars(one) for one in public.expected_requests(source.rules.model, new=new, changes=changes)],
    }


def _shown(result: ContentResult) -> list[dict[str, Any]]:
    """Return the first rows, as many as are not too much for one page."""
    shown: list[dict[str, Any]] = []
    letters = 0
    for row, cells in result.preview():
        short = [[text[:LONGEST] for text in cell] for cell in cells]
        letters += sum(len(text) for cell in short for text in cell)
        if letters > LETTERS and shown:
            break
        shown.append({"number": row.number, "kind": row.import_type, "cells": short})
    return shown
