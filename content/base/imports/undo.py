"""The job that undoes an import: it deletes what the import added, and gives what it changed the values from before.

What somebody changed since the import is left alone and named. The values from before are imported as any file is, from
rows that are made from history, so that permissions, unique values and slices are as with every import.
"""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import chain
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.db import transaction
from django.db.models import Max, ProtectedError, RestrictedError
from django.utils.translation import gettext as _

from backoffice.kit.context import cause, caused_by
from backoffice.kit.history import has_history, history_of
from backoffice.kit.jobs.progress import Progress
from backoffice.kit.jobs.service import AGAIN, TURN, Again
from backoffice.kit.permissions import Person, Write, batch_refusals
from content.base.imports import reading
from content.base.imports.model import Import
from content.base.imports.newer import VERSION
from content.base.imports.problems import Problems
from content.base.imports.service import finish, rows_upload
from content.base.imports.slices import StoppedError
from content.base.imports.source import problems_of, rules_of

PAGE = 500  # objects that are deleted in one transaction


def undo(progress: Progress, *, pk: str) -> dict[str, int] | Again:
    """Undo the import that the import `pk` undoes.

    Raises:
        PermissionDenied: the user may not import objects of this model.
        ValidationError: the file of the problems is gone.
    """
    record = Import.objects.select_related("undoes").get(pk=pk)
    if record.state != Import.State.READING or record.undoes is None:
        return {}
    undoing = _Undo(record, rules_of(record, progress.user), progress)
    if not record.upload:
        reason = replace(cause(), request_id=record.request_id, reason=record.reason)
        try:
            with caused_by(reason), closing(problems_of(record)) as problems:
                if not undoing.delete_added(problems):
                    return AGAIN
        except StoppedError:
            return {}
        rows = undoing.rows_before()
        first = next(rows, None)
        if first is None:
            finish(record)
            return dict(record.written)
        upload = rows_upload(chain([first], rows))
        Import.objects.filter(pk=pk).update(upload=upload.name, sha256=upload.sha256)
    return reading.read(progress, pk=pk)


class _Undo:
    def __init__(self, record: Import, rules: Any, progress: Progress) -> None:
        self.record, self.rules, self.progress = record, rules, progress
        self.model: Any = rules.model
        self.pk = self.model._meta.pk
        self.person = Person(rules.user)
        self.history: Any = history_of(self.model)

    def _written(self, kind: str, after: int) -> Iterator[list[Any]]:
        """Yield pages of the history rows that the import wrote."""
        undone: Any = self.record.undoes
        rows = self.history.objects.filter(
            request_id=undone.request_id, history_type=kind, history_id__lte=undone.history_to
        ).order_by("history_id")
        last = max(after, undone.history_from)
        while page := list(rows.filter(history_id__gt=last)[:PAGE]):
            yield page
            last = page[-1].history_id

    # --- added objects -----------------------------------------------------------------------------------------------
    def delete_added(self, problems: Problems) -> bool:
        """Delete what the import added, page by page; return whether that was all, within the time of this turn."""
        until = time.monotonic() + TURN
        for page in self._written("+", self.record.undone_to):
            with transaction.atomic():
                self._delete({getattr(row, self.pk.attname): row for row in page}, problems)
                moved = {"undone_to": page[-1].history_id, "written": self.record.written}
                if not Import.objects.filter(pk=self.record.pk, state=Import.State.READING).update(**moved):
                    raise StoppedError
                self.progress.advance(len(page))
            if time.monotonic() > until:
                return False
        return True

    def _delete(self, added: dict[Any, Any], problems: Problems) -> None:
        objects = self.model._base_manager.select_for_update(of=("self",)).filter(pk__in=[*added]).order_by("pk")
        stored = {obj.pk: obj for obj in objects}
        refusals = batch_refusals([Write("delete", obj) for obj in stored.values()], self.person)
        kept = self._changed(added) | self._with_children([*stored])
        kept |= {pk: refused[0].message for pk, refused in zip(stored, refusals, strict=True) if refused}
        going = [pk for pk in stored if pk not in kept]
        try:
            with transaction.atomic():
                self.model._base_manager.filter(pk__in=going).delete()
        except (ProtectedError, RestrictedError) as error:
            kept |= dict.fromkeys(going, str(error.args[0]))
            going = []
        counts = self.record.written
        counts["deleted"] = counts.get("deleted", 0) + len(going)
        counts["kept"] = counts.get("kept", 0) + sum(pk in stored for pk in kept)
        name = self.model._meta.verbose_name
        with problems:
            for pk, why in kept.items():
                if pk in stored:
                    stays = _("The %(name)s %(key)s stays. %(why)s") % {"name": name, "key": pk, "why": why}
                    problems.add(0, {NON_FIELD_ERRORS: [stays]})

    def _changed(self, added: dict[Any, Any]) -> dict[Any, str]:
        """Return the objects that somebody changed since the import added them, with that reason to keep them."""
        newest = self.history.objects.filter(**{f"{self.pk.attname}__in": [*added]}).order_by()
        newest = newest.values_list(self.pk.attname).annotate(newest=Max("history_id"))
        why = _("Somebody changed it after the import.")
        return {pk: why for pk, version in newest if version > added[pk].history_id}

    def _with_children(self, keys: list[Any]) -> dict[Any, str]:
        """Return the objects to which others added something that would go with them."""
        kept: dict[Any, str] = {}
        undone: Any = self.record.undoes
        for link in self.model._meta.related_objects:
            child = link.related_model
            if link.many_to_many or not has_history(child):
                continue
            rows = child._base_manager.filter(**{f"{link.field.name}__in": keys})
            own = history_of(child)._default_manager.filter(request_id=undone.request_id, history_type="+")
            own_keys = own.filter(**{f"{link.field.attname}__in": keys}).values(child._meta.pk.attname)
            found = rows.exclude(pk__in=own_keys).values_list(link.field.attname, flat=True).distinct()
            why = _("Somebody added %(children)s to it.") % {"children": child._meta.verbose_name_plural}
            kept |= dict.fromkeys(found, why)
        return kept

    # --- changed objects ---------------------------------------------------------------------------------------------
    def rows_before(self) -> Iterator[dict[str, Any]]:
        """Yield the rows that give the changed objects their values from before, if nobody changed them since."""
        columns = self.rules.get_import_fields()
        for page in self._written("~", 0):
            for version, before in self._before(page):
                row = {column.column_name: self.rules.export_field(column, before.instance) for column in columns}
                yield row | {VERSION: version.history_id}

    def _before(self, page: list[Any]) -> Iterator[tuple[Any, Any]]:
        """Yield each history row with the one of the same object before it."""
        undone: Any = self.record.undoes
        keys = [getattr(row, self.pk.attname) for row in page]
        older = self.history.objects.filter(**{f"{self.pk.attname}__in": keys}, history_id__lt=page[-1].history_id)
        older = older.exclude(request_id=undone.request_id).order_by()
        ids = older.values_list(self.pk.attname).annotate(newest=Max("history_id"))
        rows = self.history.objects.in_bulk([newest for _key, newest in ids])
        by_key = {getattr(row, self.pk.attname): row for row in rows.values()}
        for row in page:
            if before := by_key.get(getattr(row, self.pk.attname)):
                yield row, before
