"""The reads of single rows that nearly every request makes, by statements that are made once."""

from contextlib import suppress
from functools import cached_property, lru_cache
from typing import Any

from django.db import models

from backoffice.kit.statements import Slot, Statement

STATEMENTS = 64  # kept for each model, by the columns that callers choose


class Stored:
    """The rows of a model with history, all of which exist for whoever asks. Of no key, each read returns None."""

    def __init__(self, model: type[Any]) -> None:
        self.model = model
        self.key: Any = model._meta.pk
        self._slot = Slot("key", self.key)
        self._get = lru_cache(STATEMENTS)(self._make_get)

    def get(self, key: object, columns: tuple[str, ...]) -> Any:
        """Return the values of `columns`, and last the number of the newest history row (None if it has none)."""
        return _first(self._get(columns), key)

    def locked(self, key: object) -> Any:
        """Return the object, locked until the transaction ends."""
        row = _first(self._locked, key)
        return None if row is None else self.model.from_db(self._locked.database, self._attnames, row)

    def version(self, key: object) -> int:
        """Return the number of the newest history row of `key`; 0 if it has none."""
        row = _first(self._version, key)
        return row[0] if row else 0

    def newest(self, key: object) -> Any:
        """Return the query of the number of the newest history row of `key`, which may be an `OuterRef`."""
        rows = self.model.history.filter(**{self.key.attname: key})
        return rows.order_by("-history_id").values_list("history_id")[:1]

    def _make_get(self, columns: tuple[str, ...]) -> Statement:
        newest = models.Subquery(self.newest(models.OuterRef("pk")))
        return Statement(self.model.objects.filter(pk=self._slot).values_list(*columns, newest))

    @cached_property
    def _locked(self) -> Statement:
        return Statement(self.model.objects.select_for_update().filter(pk=self._slot).values_list(*self._attnames))

    @cached_property
    def _version(self) -> Statement:
        return Statement(self.newest(self._slot))

    @cached_property
    def _attnames(self) -> list[str]:
        return [field.attname for field in self.model._meta.concrete_fields]


def _first(statement: Statement, key: object) -> Any:
    with suppress(OverflowError):  # nothing has a key that the database can't hold
        for row in statement.run({"key": key}):
            return row
    return None
