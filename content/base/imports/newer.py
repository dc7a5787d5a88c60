"""What somebody changed of an object since a file was made from it.

The file tells what it was made from in the column `version`, which our export writes: the newest history row of each
object. Where it does not, it was made when it was judged (`since`). Three states meet, and each field is decided alone:

- the cell is as in the state that the file was made from: the person did not touch it, and the newer value stays;
- nobody else changed the field: the cell is written;
- both changed it, to different values: a conflict, and nothing of the row is written.

A row of an object that was deleted since is a conflict too. So an old file never reverts a newer edit.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Max, Q
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from backoffice.kit import moments
from backoffice.kit.history import column_values, history_of
from content.base.imports.staging import is_postgresql
from content.base.tables import MISSING

VERSION = "version"  # the column


@dataclass(frozen=True, kw_only=True)
class Newer:
    """A newer state of an object than the one that the file was made from.

    Attributes:
        base: the values that the file was made from, by attname; None if history does not have them any more.
        user: who made the newest change; empty for a program.
        at: when.
        is_strict: whether a row that changes anything is a conflict.
    """

    base: Mapping[str, Any] | None
    user: str
    at: datetime
    is_strict: bool

    def merge(self, obj: Any, stored: Mapping[str, Any], changed: Sequence[Any]) -> Iterator[tuple[str, str]]:
        """Give the fields that the person did not touch their stored values; yield conflicts, `(name, message)`.

        Args:
            obj: the object with the values of the row.
            stored: the stored values, by attname.
            changed: the fields in which `obj` differs from them.
        """
        for field in changed:
            name, ours = field.attname, field.to_python(getattr(obj, field.attname))
            if self.base is not None and self.base[name] == ours:
                setattr(obj, name, stored[name])
            elif self.base is None or self.is_strict or self.base[name] != stored[name]:
                yield field.name, self._message()

    def _message(self) -> str:
        when = moments.text(self.at)
        by = self.user or _("The program")
        message = _(
            "%(user)s changed this at %(when)s, after the file was made. Export it again and repeat the change there."
        )
        return message % {"user": by, "when": when}


class Versions:
    """Finds what is newer than a file.

    Args:
        since: the moment at which the file was judged, `Stage.moment` as text; empty if it has not been yet.
        is_strict: see `Newer`.
    """

    def __init__(self, model: Any, *, since: str = "", is_strict: bool = False) -> None:
        self.pk = model._meta.pk
        self.history: Any = history_of(model)
        self.is_column = VERSION not in {field.name for field in model._meta.get_fields()}
        self.since, self.is_strict = since, is_strict

    def version_of(self, cells: dict[str, Any]) -> int | None:
        """Take the version out of a row's cells, and return it; None if the row has none.

        Raises:
            ValidationError: the cell does not hold a version.
        """
        if not self.is_column:
            return None
        cell = cells.pop(VERSION, None)
        text = "" if cell is None or cell is MISSING else str(cell).strip()
        if not text:
            return None
        if isinstance(cell, float) and cell.is_integer():
            text = str(int(cell))
        if not text.isdecimal() or len(text) > len(str(models.BigIntegerField.MAX_BIGINT)) - 1:
            message = _("“%(cell)s” is not a version. Leave this column as it was exported, or take it out.")
            raise ValidationError({VERSION: message % {"cell": cell}})
        return int(text)

    def newer(self, versions: Mapping[Any, int | None]) -> dict[Any, Newer]:
        """Return the newer states of those objects that have one, by key: at most three queries.

        Args:
            versions: what the file was made from, by the object's key; None where the file does not tell it.
        """
        wanted = {key: version for key, version in versions.items() if version is not None or self.since}
        if not wanted:
            return {}
        newest = self._newest(wanted, Q())
        untold = [key for key, version in wanted.items() if version is None]
        wanted |= dict.fromkeys(untold, 0) | (self._newest(untold, self._before()) if untold else {})
        behind = {key: version or 0 for key, version in wanted.items() if newest.get(key, 0) > (version or 0)}
        rows = self.history.objects.in_bulk([*behind.values(), *(newest[key] for key in behind)]) if behind else {}
        return {key: self._newer(key, rows.get(version), rows[newest[key]]) for key, version in behind.items()}

    def deleted(self, keys: Collection[Any]) -> set[Any]:
        """Return those of the keys, of objects that are not there, whose objects were deleted."""
        return {*self._newest(keys, Q(history_type="-"))} if keys else set()

    def _newest(self, keys: Any, condition: Q) -> dict[Any, int]:
        rows = self.history.objects.filter(condition, **{f"{self.pk.attname}__in": [*keys]}).order_by()
        return dict(rows.values_list(self.pk.attname).annotate(newest=Max("history_id")))

    def _before(self) -> Q:
        """Return the condition for the history rows that were there at the moment `since`."""
        if not is_postgresql():
            return Q(history_id__lte=int(self.since))
        own = "txid = pg_current_xact_id_if_assigned()::text::bigint"
        visible = f"(pg_visible_in_snapshot(txid::text::xid8, %s::pg_snapshot) OR ({own}) IS TRUE)"
        return Q(RawSQL(visible, [self.since], output_field=models.BooleanField()))  # noqa: S611 - a parameter

    def _newer(self, key: Any, base: Any, newest: Any) -> Newer:
        known = base is not None and getattr(base, self.pk.attname) == key and base.history_type != "-"
        return Newer(
            base=column_values(base.instance) if known else None,
            user=newest.history_user_name or newest.origin_user,
            at=newest.history_date,
            is_strict=self.is_strict,
        )
