"""Import and export of a content model. Rows are read strictly, and only changed fields are written, with history."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, time
from functools import cache
from itertools import chain
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models
from django.db.models import OuterRef, Subquery
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from import_export.exceptions import ImportError  # noqa: A004 - the library's name
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.widgets import Widget

from backoffice.kit.batches import batched_rows
from backoffice.kit.context import cause, caused_by
from backoffice.kit.history import history_of
from content.base.headings import match_headings
from content.base.imports.newer import VERSION, Versions
from content.base.imports.problems import Problems
from content.base.imports.result import ContentResult
from content.base.imports.run import Pipeline
from content.base.models import ContentModel
from content.base.spellings import plain_date, plain_number, plain_truth
from content.base.tables import MISSING, CellError, FileError, Shown, Table

PAGE = 500  # rows read at a time


@cache
def called(field: Any, language: str | None) -> dict[str, str]:
    """Return the values of a field's choices by what a file may call them, in small letters.

    `{"pending": "PENDING", "offen": "PENDING"}`: by the value, and by the pages' words in their language and English.
    """
    found: dict[str, str] = {}
    for spoken in (language, "en"):
        with translation.override(spoken):
            found |= {str(label).casefold(): value for value, label in field.flatchoices}
    return found | {value.casefold(): value for value, _label in field.flatchoices}


class ColumnWidget(Widget):  # type: ignore[misc]
    """The conversion between a cell and a model field's value, by the field's own rules."""

    def __init__(self, field: Any) -> None:
        super().__init__(coerce_to_string=False)
        self.field: Any = getattr(field, "target_field", field)
        self.is_text = isinstance(self.field, models.CharField | models.TextField)
        self.is_uuid, self.is_json = isinstance(self.field, models.UUIDField), isinstance(self.field, models.JSONField)
        self.is_number = isinstance(self.field, models.IntegerField)
        self.is_decimal = isinstance(self.field, models.DecimalField)
        self.is_fraction = self.is_decimal or isinstance(self.field, models.FloatField)
        self.is_truth = isinstance(self.field, models.BooleanField)
        self.is_date = isinstance(self.field, models.DateField)  # or of moments
        self.is_time = isinstance(self.field, models.DateTimeField)

    def clean(self, value: Any, row: object = None, **_options: object) -> Any:
        """Return the value that the model field takes; None for an empty cell.

        Raises:
            ValueError: the cell does not hold such a value. The message quotes the cell.
        """
        if self.is_text:
            return self._choice(self._text(value)) if self.field.choices else self._text(value)
        if self.is_uuid and value is not None:
            value = str(value)  # the field would take the number 1 for a UUID
        if isinstance(value, str):
            value = value.strip() or None
        if self.is_json:
            return json.loads(value) if isinstance(value, str) else value
        if self.is_number and not self._is_whole(value):
            raise ValueError(_("“%(cell)s” is not a whole number. Write its digits alone.") % {"cell": value})
        if isinstance(value, float) and self.is_decimal:
            value = str(value)  # the field would take the digits that a float has beyond those that are seen
        if isinstance(value, str):
            value = self._plain(value)
        try:
            return None if value is None else self._in_a_zone(self.field.to_python(self._moment(value)))
        except ValidationError as error:
            raise ValueError(" ".join(error.messages)) from error

    def _plain(self, text: str) -> str:
        """Return a number, a date or a truth as Python spells it."""
        if self.is_fraction:
            return plain_number(text)
        if self.is_truth:
            return plain_truth(text)
        return plain_date(text) if self.is_date else text

    def _moment(self, value: Any) -> Any:
        """Return the beginning of a day, if this is a column of moments."""
        is_day = isinstance(value, date) and not isinstance(value, datetime)
        return datetime.combine(value, time()) if self.is_time and is_day else value

    def _in_a_zone(self, value: Any) -> Any:
        """Return a moment that no time zone is given for, which sheets can't hold, as one in the current zone."""
        is_naive = isinstance(value, datetime) and timezone.is_naive(value)
        return timezone.make_aware(value) if is_naive else value

    def _text(self, value: object) -> str:
        if value is None or isinstance(value, str):
            return value or ""
        if isinstance(value, Shown):
            return value.text
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(_("“%(cell)s” is not a text. Format the cell as text.") % {"cell": value})
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)

    def _choice(self, text: str) -> str:
        """Return the value of a choice, which a file may call as the pages do."""
        value = called(self.field, translation.get_language()).get(text.strip().casefold())
        if text and value is None:
            words = {"cell": text, "choices": ", ".join(value for value, _label in self.field.flatchoices)}
            raise ValueError(_("“%(cell)s” is not a choice. Write one of: %(choices)s.") % words)
        return value or ""

    def _is_whole(self, value: object) -> bool:
        if isinstance(value, str):
            return value.lstrip("+-").isdecimal()
        return value is None or (not isinstance(value, bool) and isinstance(value, int | float) and value % 1 == 0)

    def render(self, value: Any, obj: object = None, **_options: object) -> Any:
        """Return a cell that all three formats can hold."""
        if isinstance(value, date):  # and datetime
            return value.isoformat()
        if isinstance(value, dict | list):
            return json.dumps(value, ensure_ascii=False)
        return str(value) if isinstance(value, UUID) else value


class Column(Field):  # type: ignore[misc]
    """A column named as the model field. An empty cell of a new row gets the field's default."""

    widget: ColumnWidget

    def clean(self, row: Mapping[str, Any], **options: Any) -> Any:
        cell = row[self.column_name]
        if isinstance(cell, CellError):
            raise ValueError(cell.message)
        return self.widget.clean(cell, row=row, **options)

    def save(self, instance: models.Model, row: Mapping[str, Any], is_m2m: bool = False, **options: Any) -> None:  # noqa: FBT001, FBT002 - the library's signature
        value = self.clean(row, **options)
        if value is None and instance._state.adding and self.widget.field.has_default():
            return
        setattr(instance, self.attribute, value)


class ContentResource(ModelResource):  # type: ignore[misc]
    """The base of a domain's resources, which declare only `Meta.model` and `Meta.fields`, the key first.

    A row with a key changes that object; a row without one adds an object. With `Meta.caller_keys`, callers choose
    the keys of new objects, so a row with an unknown key adds an object too. A column that is not in the file keeps the
    stored values. If one row is invalid, nothing is written. Unique values are judged by the state after all rows, so
    that a file may swap them; see `end_state`. Objects are written many at a time, without `save()` and its signals.

    The `user` is the one who imports; None for a program, which may do everything.
    """

    class Meta:
        caller_keys = False

    def __init__(self, user: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self.user = user

    @property
    def model(self) -> type[ContentModel]:
        model: type[ContentModel] = self._meta.model
        return model

    @classmethod
    def field_from_django_field(cls, field_name: str, django_field: Any, readonly: bool) -> Column:  # noqa: FBT001 - the library's signature
        return Column(attribute=django_field.attname, column_name=field_name, widget=ColumnWidget(django_field))

    # --- export ------------------------------------------------------------------------------------------------------
    def table(self, queryset: Any, fields: Sequence[str] | None = None) -> tuple[list[str], Iterator[list[Any]]]:
        """Return the headers of these columns (None: all), and an iterator over the rows that exist for the user.

        The last column is the version of each object; see `imports.newer`.
        """
        columns, visible = self.get_export_fields(fields), queryset.visible_to(self.user)
        headers = [column.column_name for column in columns]
        if not self.has_version or (fields is not None and VERSION not in fields):
            return headers, (
                [self.export_field(column, obj) for column in columns] for obj in self.iter_queryset(visible)
            )
        # By the statement that reads the object: read later, it could be the version of a newer edit.
        newest = history_of(self.model)._default_manager.filter(**{self._pk: OuterRef("pk")}).order_by("-history_id")
        versioned = visible.annotate(newest_version=Subquery(newest.values("history_id")[:1]))
        return [*headers, VERSION], (
            [*(self.export_field(column, obj) for column in columns), obj.newest_version]
            for obj in self.iter_queryset(versioned)
        )

    @property
    def has_version(self) -> bool:
        """Whether a file has the column that says what it was made from: always, unless the model has such a field."""
        return Versions(self.model).is_column

    @property
    def _pk(self) -> str:
        name: str = self.model._meta.pk.attname
        return name

    def get_export_fields(self, selected_fields: Sequence[str] | None = None) -> list[Column]:
        """Return the columns of fields, in their order; the version is none."""
        chosen = None if selected_fields is None else [name for name in selected_fields if name in self.fields]
        columns: list[Column] = super().get_export_fields(chosen)
        return columns

    def get_export_order(self) -> tuple[str, ...]:
        """Return the names of the columns that can be chosen."""
        order: tuple[str, ...] = super().get_export_order()
        return (*order, VERSION) if self.has_version else order

    def iter_queryset(self, queryset: models.QuerySet[Any]) -> Iterator[Any]:
        """Return the objects by key, read in keyset pages."""
        return chain.from_iterable(batched_rows(queryset, PAGE))

    # --- import ------------------------------------------------------------------------------------------------------
    def import_data(
        self,
        dataset: Any,
        dry_run: bool = False,  # noqa: FBT001, FBT002 - the library's signature
        raise_errors: bool = False,  # noqa: FBT001, FBT002 - the library's signature
        **options: Any,
    ) -> ContentResult:
        """Import all rows, or none if one is wrong, in one transaction.

        This replaces the library's loop, which judges and saves each row by statements of its own. The rows are read
        and judged while nothing is locked; then they are written. The admin's imports are written in slices instead,
        see `imports.slices`.

        Args:
            dataset: a `files.Table`, or the library's Dataset.
            dry_run: only judge the rows.

        Raises:
            ImportError: of the library, with `raise_errors`: what is wrong first.
        """
        user = cause().user if self.user is None else lambda: self.user
        reason = _("Imported from %(file)s") % {"file": options.get("file_name") or _("a file")}
        with caused_by(replace(cause(), user=user, reason=reason)):
            try:
                result = self._import(dataset, dry_run=dry_run)
            except (FileError, IntegrityError) as error:
                result = ContentResult(self.get_import_fields())
                result.fail(error)
        if raise_errors and result.has_errors():
            number, message = next(iter(result.wrong_rows()), (None, " ".join(result.base_problems())))
            raise ImportError(ValueError(message), number=number)
        return result

    def _import(self, dataset: Any, *, dry_run: bool) -> ContentResult:
        headings = match_headings(dataset.headers or (), labels := self.labels())
        if headings.unknown:
            text = _("There is no column %(unknown)s. The columns may be: %(columns)s.")
            raise FileError(text % {"unknown": ", ".join(headings.unknown), "columns": ", ".join(labels)})
        versions = Versions(self.model)
        rows = dataset if isinstance(dataset, Table) else list(enumerate(dataset, 1))  # the library's Dataset
        with closing(Problems()) as problems:
            run = Pipeline(resource=self, headers=headings.names, rows=rows, problems=problems, versions=versions)
            return run.preview() if dry_run else run.write()

    def before_import_row(self, row: dict[str, Any], **_options: object) -> None:
        for name in [name for name, value in row.items() if value is MISSING]:
            del row[name]

    def key_of(self, row: Mapping[str, Any]) -> Any:
        """Return the row's key; None if the row has no key.

        Raises:
            ValidationError: the cell does not hold a key.
        """
        column = self.fields[self.model._meta.pk.name]
        try:
            return column.clean(row) if column.column_name in row else None
        except ValueError as error:
            raise ValidationError({column.column_name: str(error)}) from error

    def labels(self) -> dict[str, tuple[str, ...]]:
        """Return the names by which a file may call each column: its own, and the pages' in their language and English.

        `{"user_id": ("user_id", "Benutzernummer", "user id")}`
        """
        options: Any = self.model._meta
        fields = {column.column_name: options.get_field(column.attribute) for column in self.get_import_fields()}
        shown = {name: str(field.verbose_name) for name, field in fields.items()}
        with translation.override("en"):
            labels: dict[str, tuple[str, ...]] = {
                name: (name, shown[name], str(field.verbose_name)) for name, field in fields.items()
            }
        return labels | {VERSION: (VERSION, _("version"))} if self.has_version else labels

    def after_adding(self, keys: Sequence[Any]) -> None:
        """Write what belongs to new objects, of which these are the keys; called in the transaction, for each page."""
