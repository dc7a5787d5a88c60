"""The columns of a history row, and the declaration of history on a model. Triggers write the rows: see `triggers`."""

from collections.abc import Iterator
from typing import Any, NoReturn

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler
from django.utils.translation import gettext as _
from simple_history.manager import HistoryManager
from simple_history.models import HistoricalRecords


class TransactionId(models.Func):
    """The id of the transaction that writes the row; 0 on SQLite, which has one writer at a time.

    `pg_current_xact_id()` is the id of the top-level transaction; the system column `xmin` has the subtransaction's
    (https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT).
    """

    template = "0"
    arity = 0
    output_field = models.BigIntegerField()

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        return super().as_sql(compiler, connection, template="(pg_current_xact_id()::text::bigint)", **extra)


def _text(max_length: int, help_text: str) -> "models.CharField[str, str]":
    return models.CharField(max_length=max_length, default="", blank=True, editable=False, help_text=help_text)


class HistoryRow(models.Model):
    """The base of every history table: its columns beside those of django-simple-history."""

    history_user_name = _text(256, "The account's name when it made the change; it stays when the account is deleted.")
    origin = _text(64, "The peer this change came from; empty: made here.")
    origin_user = _text(256, "Who made it there; empty: made here, or a program did.")
    request_id = _text(64, "The request that caused the change; empty: none did.")
    txid = models.BigIntegerField(db_default=TransactionId(), editable=False)

    class Meta:
        abstract = True

    @property
    def history_author(self) -> str:
        """Who made the change, for pages. One from a peer names its author there, not the account that sent it."""
        if not self.origin:
            return self.history_user_name or _("the program")
        return _("%(who)s, at %(node)s") % {"who": self.origin_user or _("a program"), "node": self.origin}


class Rows(HistoryManager):  # type: ignore[misc]
    """django-simple-history's manager, without its method that writes history."""

    def bulk_history_create(self, *_args: object, **_options: object) -> NoReturn:
        raise NotImplementedError(
            "The database writes the history of content automatically; use bulk_create() and bulk_update(), and "
            "backoffice.kit.context to give user and reason."
        )


class Records(HistoricalRecords):  # type: ignore[misc]
    """django-simple-history's models, admin and queries, without its recording, which the database does.

    Without the receivers of its signals, the ORM also deletes children in one statement instead of reading them first.
    """

    def __init__(self) -> None:
        super().__init__(
            bases=[HistoryRow],
            history_id_field=models.BigAutoField(),
            history_manager=Rows,
            # No foreign key: history must survive the deletion of an account. The account's name is in the row.
            history_user_id_field=models.BigIntegerField(null=True),
            inherit=True,
        )

    def finalize(self, sender: type[models.Model], **options: Any) -> None:
        super().finalize(sender, **options)
        for name in ("post_save", "pre_delete", "post_delete"):
            getattr(models.signals, name).disconnect(getattr(self, name), sender=sender)

    def copy_fields(self, model: type[models.Model]) -> dict[str, Any]:
        """Return the fields of the history table, with an index of the key only: each index slows every write."""
        fields: dict[str, Any] = super().copy_fields(model)
        for name, field in fields.items():
            field.db_index = name == model._meta.pk.name
        return fields

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        """Return the options of the history model, with its indexes, among them the model's own `history_indexes`."""
        # The index leaves out rows that lie behind every mark. On SQLite it is empty: `txid` is always 0 there.
        marks = models.Index(fields=["txid"], condition=models.Q(txid__gt=0), name=f"{model._meta.db_table[:25]}_txid")
        options: dict[str, Any] = super().get_meta_options(model)
        return options | {"indexes": [marks, *_of_deletes(model), *getattr(model, "history_indexes", ())]}


def _of_deletes(model: type[models.Model]) -> Iterator[models.Index]:
    """Yield the indexes of deletes, newest last, and of those by each parent whose delete they follow.

    Only deletes are in them, so that other writes don't pay for them.
    """
    table, deletes = model._meta.db_table, models.Q(history_type="-")
    yield models.Index(fields=["history_id"], condition=deletes, name=f"{table[:24]}_gone")
    for field in model._meta.concrete_fields:
        if field.remote_field and field.remote_field.on_delete is models.CASCADE:
            name = f"{table[:19]}_{field.name[:5]}_gone"
            yield models.Index(fields=[field.name, "history_id"], condition=deletes, name=name)
