"""What a history row carries beside django-simple-history's own columns."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import groupby
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler
from simple_history.models import HistoricalRecords

from backoffice.kit import context

BATCH = 500  # rows an INSERT

_deleted: ContextVar[list[models.Model] | None] = ContextVar("deleted", default=None)


@contextmanager
def deleted_together() -> Iterator[None]:
    """The history rows of what is deleted within, cascades included, are written at its end, all at once.

    Only within a transaction: should it end in between, they would be lost.
    """
    if _deleted.get() is not None:
        yield
        return
    rows: list[models.Model] = []
    token = _deleted.set(rows)
    try:
        yield
    finally:
        _deleted.reset(token)
    kinds: Any = groupby(sorted(rows, key=lambda row: row._meta.label), key=type)
    for model, some in kinds:
        model._default_manager.bulk_create(some, batch_size=BATCH)


class TransactionId(models.Func):
    """The number of the transaction that writes the row; 0 on SQLite, which has one writer at a time.

    `pg_current_xact_id()` names the top transaction, where the system column `xmin` would name the sub-transaction
    (https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT).
    """

    template = "0"
    arity = 0
    output_field = models.BigIntegerField()

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        return super().as_sql(compiler, connection, template="(pg_current_xact_id()::text::bigint)", **extra)


class HistoryRow(models.Model):
    """The base of every history table."""

    origin = models.CharField(
        max_length=64,
        default=context.origin,
        blank=True,
        editable=False,
        help_text="The peer this change came from; empty: made here.",
    )
    origin_user = models.CharField(
        max_length=256,
        default=context.origin_user,
        db_default="",
        blank=True,
        editable=False,
        help_text="Who made it there; empty: made here, or a program did.",
    )
    request_id = models.CharField(
        max_length=64,
        default=context.request_id,
        blank=True,
        editable=False,
        help_text="The request that caused the change; empty: none did.",
    )
    txid = models.BigIntegerField(db_default=TransactionId(), db_index=True, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write it; that of a delete perhaps later, see `deleted_together`."""
        rows = _deleted.get()
        if rows is None or self.history_type != "-":  # type: ignore[attr-defined]
            super().save(*args, **kwargs)
        else:
            rows.append(self)


class Records(HistoricalRecords):  # type: ignore[misc]
    """django-simple-history's, whose rows are of our kind and give the caller's reason where the object has none."""

    def __init__(self) -> None:
        super().__init__(bases=[HistoryRow], history_id_field=models.BigAutoField(), inherit=True)

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        """With the indexes that the model wants on its history, `history_indexes`."""
        options: dict[str, Any] = super().get_meta_options(model)
        return options | {"indexes": [*options.get("indexes", ()), *getattr(model, "history_indexes", ())]}

    def get_change_reason_for_object(self, instance: models.Model, history_type: str, using: str) -> str | None:
        given: str | None = super().get_change_reason_for_object(instance, history_type, using)
        return given or context.cause().reason or None
