"""Restore deleted objects with what was deleted with them: a job, in slices, which can be started again."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from backoffice.kit.batches import batched
from backoffice.kit.history import history_of
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.progress import Progress
from backoffice.kit.jobs.service import AGAIN, RESUMES, TURN, Again, start
from backoffice.kit.permissions import Person
from backoffice.kit.versions import go_back, restore_all
from content.base.deleted.rows import AT_ONCE, Ids, deleted, with_children

WORK = "content.base.deleted.restore.restore"
HERE = 500  # objects that a request restores itself
SLICE = 200  # objects of a transaction, a tenth of a second; half a second where each is checked singly

Levels = Sequence[tuple[type[Model], Ids]]


def begin(model: type[Model], rows: Ids, *, user: Any, reason: str) -> Job:
    """Start the job that restores the objects of these history rows; a small one is done when this returns."""
    total = sum(len(ids) for _, ids in allowed(with_children(model, read(model, rows)), user))
    title = _("Restore %(name)s") % {"name": model._meta.verbose_name_plural}
    arguments = {"model": model._meta.label, "rows": rows, "reason": reason}
    return start(WORK, user=user, title=title, total=total, arguments=arguments, here=total <= HERE, resumes=RESUMES)


def read(model: type[Model], rows: Ids) -> list[Any]:
    """Return those of these history rows whose objects are still deleted."""
    history = deleted(model)
    return [row for some in batched(rows, AT_ONCE) for row in history.filter(history_id__in=some)]


def allowed(levels: Levels, user: Any) -> Levels:
    """Return the levels that the user may restore, which is to add objects."""
    return [(model, ids) for model, ids in levels if Person(user).may(model, "add")]


def restore(progress: Progress, *, model: str, rows: Ids, reason: str) -> Again | None:
    """Restore the objects of history rows, parents first; the job's work. An object that lives already is left alone.

    Called again, it goes on with what is left.

    Raises:
        PermissionDenied: the user may not add objects of `model`.
    """
    kind: Any = apps.get_model(model)
    reason = reason or _("Restored")
    ends_at = time.monotonic() + TURN
    progress.start_over()
    if not Person(progress.user).may(kind, "add"):
        raise PermissionDenied(Person(progress.user).refusal(kind, "add"))
    # Also those that live again: an earlier turn restored them, and perhaps not all of their children.
    history = history_of(kind)._default_manager
    named = [row for some in batched(rows, AT_ONCE) for row in history.filter(history_id__in=some)]
    for level, ids in allowed(with_children(kind, named), progress.user):
        for some in batched(sorted(ids), SLICE):
            with transaction.atomic(durable=True):
                restored = _restore(progress, level, some, reason, is_named=level is kind)
            if restored and time.monotonic() > ends_at:
                return AGAIN
    return None


def _restore(progress: Progress, model: type[Model], ids: Ids, reason: str, *, is_named: bool) -> bool:
    """Restore those of one slice that are deleted still; return whether any came back.

    Those that can't are reported with the reason.
    """
    objects = [row.instance for row in deleted(model).filter(history_id__in=ids).order_by("history_id")]
    if not objects:
        return False
    made, failed = objects, list[tuple[Model, str]]()
    try:
        with transaction.atomic():
            restore_all(objects, user=progress.user, reason=reason)
    except (ValidationError, IntegrityError):
        made, failed = _restore_singly(progress, objects, reason)
    if is_named and made and progress.user:
        _log(progress.user, made, reason)
    progress.advance(len(made))
    if failed:
        progress.fail_all(failed)
    return bool(made)


def _restore_singly(
    progress: Progress, objects: Iterable[Model], reason: str
) -> tuple[list[Model], list[tuple[Model, str]]]:
    """Restore those that can be; return them, and the others with the reason."""
    made, failed = [], []
    for obj in objects:
        try:
            with transaction.atomic():
                go_back(obj, None, user=progress.user, reason=reason)
            made.append(obj)
        except ValidationError as error:
            failed.append((obj, " ".join(error.messages)))
    return made, failed


def _log(user: Any, objects: Iterable[Model], reason: str) -> None:
    LogEntry.objects.log_actions(user.pk, list(objects), CHANGE, reason)
