"""The state of an import in one sentence: of a file, of a bulk edit, whose rows the program made, or of an undo."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.kit.numbers import grouped
from content.base.imports.model import Import

State = Import.State


def sentence(record: Import, *, right: int) -> str:
    """Return the sentence; `right` rows would be written."""
    if record.state == State.FAILED:
        return record.error
    if record.undoes_id:
        return _of_undo(record)
    if record.state == State.READY and record.failed and right:
        return _but_some(record)
    if record.state == State.CANCELLED and not record.has_written:
        return _("It was cancelled. Nothing was changed.")
    texts = _of_edit(record, right) if record.is_edit else _of_file(record, right)
    return texts[State(record.state)]


def _of_undo(record: Import) -> str:
    if record.state == State.CANCELLED:
        return _("The undo was cancelled. What it had undone stays undone.")
    if record.state != State.DONE:
        return _("It is being undone.")
    if record.failed or record.written.get("kept"):
        return _("It was undone, but for what somebody changed since.")
    return _("It was undone.")


def _but_some(record: Import) -> str:
    failed = record.failed
    if record.is_edit:
        text = ngettext(
            "Nothing is changed yet. %(failed)s object can't be changed; the others can.",
            "Nothing is changed yet. %(failed)s objects can't be changed; the others can.",
            failed,
        )
    else:
        text = ngettext(
            "Nothing is changed yet. %(failed)s row can't be imported; the others can.",
            "Nothing is changed yet. %(failed)s rows can't be imported; the others can.",
            failed,
        )
    return text % {"failed": grouped(failed)}


def _of_file(record: Import, right: int) -> dict[State, str]:
    if right:
        ready = _("Nothing is changed yet. Every row is right.")
    elif record.failed:
        ready = _("No row of this file can be imported. Correct it and upload it again.")
    else:
        ready = _("Everything in this file is stored already. There is nothing to import.")
    return {
        State.READING: _("The file is being read. Nothing is changed yet."),
        State.READY: ready,
        State.WRITING: _("The rows are being written."),
        State.DONE: _done_but_some(record.failed) if record.failed else _("It was imported."),
        State.CANCELLED: _("It was cancelled. What it had written stays until you undo it."),
        State.UNDONE: _("It was imported, and undone later."),
    }


def _done_but_some(failed: int) -> str:
    text = ngettext(
        "%(failed)s row could not be imported; the others were.",
        "%(failed)s rows could not be imported; the others were.",
        failed,
    )
    return text % {"failed": grouped(failed)}


def _of_edit(record: Import, right: int) -> dict[State, str]:
    if right:
        ready = _("Nothing is changed yet. Every object can be changed.")
    elif record.failed:
        ready = _("No object can be changed so. Go back to the list and choose other values.")
    else:
        ready = _("Each object has these values already. There is nothing to change.")
    some, all_ = _("The objects that could be changed were changed."), _("The objects were changed.")
    return {
        State.READING: _("The objects are being read. Nothing is changed yet."),
        State.READY: ready,
        State.WRITING: _("The objects are being changed."),
        State.DONE: some if record.failed else all_,
        State.CANCELLED: _("It was cancelled. What it had written stays until you undo it."),
        State.UNDONE: _("The objects were changed, and that was undone later."),
    }
