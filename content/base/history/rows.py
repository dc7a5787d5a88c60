"""What a history row carries, and how a model asks for history. The database writes the rows: see `triggers`."""

from typing import Any, NoReturn

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler
from simple_history.manager import HistoryManager
from simple_history.models import HistoricalRecords


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
    """The base of every history table: what it has beside django-simple-history's own columns."""

    history_user_name = models.CharField(
        max_length=256,
        default="",
        blank=True,
        editable=False,
        help_text="The account's name when it made the change; it stays when the account is deleted.",
    )
    origin = models.CharField(
        max_length=64,
        default="",
        blank=True,
        editable=False,
        help_text="The peer this change came from; empty: made here.",
    )
    origin_user = models.CharField(
        max_length=256,
        default="",
        blank=True,
        editable=False,
        help_text="Who made it there; empty: made here, or a program did.",
    )
    request_id = models.CharField(
        max_length=64,
        default="",
        blank=True,
        editable=False,
        help_text="The request that caused the change; empty: none did.",
    )
    txid = models.BigIntegerField(db_default=TransactionId(), editable=False)

    class Meta:
        abstract = True


class Rows(HistoryManager):  # type: ignore[misc]
    """django-simple-history's manager, without the way to write history beside the triggers."""

    def bulk_history_create(self, *_args: Any, **_options: Any) -> NoReturn:
        """Refuse: only the triggers write history.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            "The database writes the history of content automatically; use bulk_create() and bulk_update(), and "
            "backoffice.kit.context to give user and reason."
        )


class Records(HistoricalRecords):  # type: ignore[misc]
    """django-simple-history's models, admin and queries; its recording is off, for the database does it.

    Without its signals the ORM also deletes children by one statement, instead of reading them first.
    """

    def __init__(self) -> None:
        super().__init__(
            bases=[HistoryRow],
            history_id_field=models.BigAutoField(),
            history_manager=Rows,
            # No foreign key: an account may be deleted, and what it did stays as it was; its name is in the row.
            history_user_id_field=models.BigIntegerField(null=True),
            inherit=True,
        )

    def finalize(self, sender: type[models.Model], **options: Any) -> None:
        super().finalize(sender, **options)
        for signal, receiver in (
            (models.signals.post_save, self.post_save),
            (models.signals.pre_delete, self.pre_delete),
            (models.signals.post_delete, self.post_delete),
        ):
            signal.disconnect(receiver, sender=sender)

    def copy_fields(self, model: type[models.Model]) -> dict[str, Any]:
        """With an index of the key only: each one more makes every write dearer."""
        fields: dict[str, Any] = super().copy_fields(model)
        for name, field in fields.items():
            field.db_index = name == model._meta.pk.name
        return fields

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        """With an index for marks, and those that the model wants on its history, `history_indexes`."""
        # Not of what lies behind every mark: of nothing on SQLite, where it is always 0.
        marks = models.Index(fields=["txid"], condition=models.Q(txid__gt=0), name=f"{model._meta.db_table[:25]}_txid")
        options: dict[str, Any] = super().get_meta_options(model)
        return options | {"indexes": [marks, *getattr(model, "history_indexes", ())]}
