"""What can be done with an import: start it, map its columns, confirm, cancel or undo it. Workers do the work."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from django.apps import apps
from django.utils.translation import gettext as _

from backoffice.kit import clock, waiting_files
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record as audit
from backoffice.kit.context import REASON_LENGTH
from backoffice.kit.history import newest_version
from backoffice.kit.jobs.service import RESUMES, start
from content.base.files import FORMATS
from content.base.imports.model import Import
from content.base.tables import FileError
from content.base.uploads import Upload, path_of

WORK = "content.base.imports."
HERE = 1_000  # rows that a request reads or writes itself; a worker does more
HERE_BYTES = 1_000_000  # of a file, unpacked, that is opened in a request
KEPT = timedelta(days=90)  # an import is known for so long


class StateError(Exception):
    """The import is not in the state for this any more. The message says so."""


def start_import(
    *,
    model: type[Any],
    user: Any,
    upload: Upload,
    kind: str,
    file_name: str,
    resource: int = 0,
    reason: str = "",
    here: bool = False,
    **options: Any,
) -> Import:
    """Start the import of a file: it is read and judged, and then waits for a person.

    Args:
        user: the account that imports; None for the program, which may write everything.
        kind: the title of the format.
        resource: the index of the resource in the model's admin.
        reason: of the changes, in their history.
        here: read it before returning.
        options: values of other fields of `Import`, such as `is_confirmed`.
    """
    old = Import.objects.filter(created_at__lt=clock.now() - KEPT)
    old.exclude(state__in=[Import.State.READING, Import.State.WRITING]).delete()
    record = Import.objects.create(
        model=model._meta.label,
        resource=resource,
        user=user,
        kind=kind,
        file_name=file_name[-256:],
        sha256=upload.sha256,
        upload=upload.name,
        problems_file=waiting_files.new(),
        reason=(reason or _("Imported from %(file)s") % {"file": file_name})[:REASON_LENGTH],
        **options,
    )
    if not record.is_edit:
        _record(Action.IMPORT_STARTED, record, format=kind)
    _begin(record, "reading.read", _("Read %(file)s"), here=here)
    return record


def is_short(kind: str, path: Path) -> bool:
    """Return whether a request can read a file itself.

    Raises:
        FileError: it is small and can't be read, or has no rows.
    """
    file_format = FORMATS[kind]()
    if file_format.size(path) > HERE_BYTES:
        return False
    table = file_format.create_dataset(path)
    if not table:
        raise FileError(_("The file has no rows. Its first row names the columns, and the others are read."))
    length = 0
    for count, (_number, cells) in enumerate(table, 1):
        length += sum(len(cell) for cell in cells if isinstance(cell, str))  # many cells may name one text of the file
        if count > HERE or length > HERE_BYTES:
            return False
    return True


def start_rows(
    *,
    model: type[Any],
    rows: Iterable[Mapping[str, Any]],
    user: Any,
    name: str,
    reason: str = "",
    here: bool = False,
    **options: Any,
) -> Import:
    """Start the import of rows that the program makes, such as the changes of a bulk edit; see `start_import`.

    Args:
        rows: `{"id": 1, "version": 17, "title": "New"}`, with values as the export writes them. A column that a row
            lacks keeps what is stored. With `version`, the newest history row that the maker of the row saw, a newer
            edit of the same field is a conflict, and never overwritten.
        name: of what is done, in the place of a file's name.
    """
    upload = rows_upload(rows)
    return start_import(
        model=model,
        user=user,
        upload=upload,
        kind="JSON",
        file_name=name,
        reason=reason,
        here=here,
        is_edit=True,
        **options,
    )


def rows_upload(rows: Iterable[Mapping[str, Any]]) -> Upload:
    """Store rows as a JSON file; see `start_rows`."""
    lines = (json.dumps(row, default=str).encode() for row in rows)
    return Upload.of(chain([b"[", next(lines, b"")], (b",\n" + line for line in lines), [b"]"]))


def map_columns(record: Import, columns: Mapping[str, str]) -> None:
    """Read the file again with other columns for its headings, `{"Title": "title", "Remark": ""}`.

    Raises:
        FileError: the file waited for too long.
        StateError: it was confirmed or ended meanwhile.
    """
    again = {"columns": dict(columns), "state": Import.State.READING, "error": "", "finished_at": None, "moment": ""}
    _move(record, {Import.State.READY, Import.State.FAILED}, written_to=0, history_from=None, **again)
    waiting_files.remove(record.problems_file)
    record.problems_file = waiting_files.new()
    record.save(update_fields=["problems_file"])
    path = path_of(record.upload)
    _begin(record, "reading.read", _("Read %(file)s"), here=is_short(record.kind, path))


def write(record: Import, *, here: bool = False) -> None:
    """Write the rows that are right, in slices.

    Raises:
        FileError: the file waited for too long.
        StateError: it was confirmed or ended meanwhile.
    """
    for name in (record.upload, record.problems_file):
        path_of(name)
    newest = newest_version(apps.get_model(record.model))
    _move(record, {Import.State.READY}, state=Import.State.WRITING, history_from=newest, history_to=newest)
    if not record.is_edit:
        _record(Action.IMPORT_CONFIRMED, record, **record.counts)
    _begin(record, "slices.write", _("Import %(file)s"), here=here)


def finish(record: Import) -> None:
    """Say that all of an import is written, or of an undo that the other import is undone."""
    open_ = {Import.State.READING, Import.State.WRITING}
    values = {"state": Import.State.DONE, "finished_at": clock.now()}
    if Import.objects.filter(pk=record.pk, state__in=open_).update(**values) and record.undoes_id:
        Import.objects.filter(pk=record.undoes_id).update(state=Import.State.UNDONE)


def cancel(record: Import) -> None:
    """Stop an import; what it has written stays, and can be undone.

    Raises:
        StateError: it has ended.
    """
    states = {Import.State.READING, Import.State.READY, Import.State.WRITING}
    _move(record, states, state=Import.State.CANCELLED, finished_at=clock.now())
    _record(Action.IMPORT_CANCELLED, record)


def go_on(record: Import) -> None:
    """Start the job again of an import that none is at work on any more.

    Raises:
        StateError: one is.
    """
    if not record.is_stuck:
        raise StateError(_("A worker is at work on it."))
    if record.state == Import.State.WRITING:
        _begin(record, "slices.write", _("Import %(file)s"))
    else:
        _begin(record, "undo.undo" if record.undoes_id else "reading.read", _("Read %(file)s"))


def undo(record: Import, *, user: Any, here: bool = False) -> Import:
    """Start to undo an import: an import of its own, which the user makes.

    Raises:
        StateError: there is nothing to undo.
    """
    if not record.can_be_undone:
        raise StateError(_("It wrote nothing that could be undone, or it was undone already."))
    undoing = Import.objects.create(
        model=record.model,
        resource=record.resource,
        user=user,
        kind=FORMATS["JSON"].title,
        file_name=_("Undo of %(file)s")[:200] % {"file": record.file_name[-200:]},
        problems_file=waiting_files.new(),
        reason=(_("Undid: %(what)s") % {"what": record.reason})[:REASON_LENGTH],
        undoes=record,
        is_confirmed=True,
        is_strict=True,
        is_edit=True,
    )
    _record(Action.IMPORT_UNDONE, record, actor=user)
    _begin(undoing, "undo.undo", "%(file)s", here=here)
    return undoing


def _record(action: Action, record: Import, *, actor: Any = None, **details: object) -> None:
    """Record what was done with an import: by its model, for the name of its file could be somebody's."""
    audit(action, record, actor=actor or record.user, name=record.model, **details)


def _move(record: Import, states: set[Import.State], **values: Any) -> None:
    """Change an import that is in one of the states.

    Raises:
        StateError: it is in none of them.
    """
    if not Import.objects.filter(pk=record.pk, state__in=states).update(**values):
        raise StateError(_("It is not in the state for this any more. Look at its page."))
    record.refresh_from_db()


def _begin(record: Import, work: str, title: str, *, here: bool = False) -> None:
    """Start the next job of an import."""
    start(
        f"{WORK}{work}",
        user=record.user,
        title=title % {"file": record.file_name},
        arguments={"pk": str(record.pk)},
        resumes=RESUMES,
        here=here,
        on_created=lambda job: Import.objects.filter(pk=record.pk).update(job=job),
    )
    record.refresh_from_db()
