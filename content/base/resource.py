"""Import and export of a content model. Rows are read strictly, and only changed fields are written, with history."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import tablib
from django.core.exceptions import ValidationError
from django.db import models
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.results import Result
from import_export.widgets import Widget

from backoffice.kit.context import cause, caused_by
from backoffice.kit.history import column_values
from backoffice.kit.permissions import Person, Write, as_error, refusals
from content.base.files import MISSING, FileError
from content.base.import_result import ContentResult, ContentRow
from content.base.models import ContentModel
from content.base.parking import park, unique_keys, with_cures

PAGE = 500  # rows read at a time


class ColumnWidget(Widget):  # type: ignore[misc]
    """The conversion between a cell and a model field's value, by the field's own rules."""

    def __init__(self, field: Any) -> None:
        super().__init__(coerce_to_string=False)
        self.field: Any = getattr(field, "target_field", field)

    def clean(self, value: Any, row: object = None, **_options: object) -> Any:
        """Return the value that the model field takes; None for an empty cell.

        Raises:
            ValueError: the cell does not hold such a value. The message quotes the cell.
        """
        if isinstance(self.field, models.CharField | models.TextField):
            return self._text(value)
        if isinstance(self.field, models.UUIDField) and value is not None:
            value = str(value)  # the field would take the number 1 for a UUID
        if isinstance(value, str):
            value = value.strip() or None
        if isinstance(self.field, models.JSONField):
            return json.loads(value) if isinstance(value, str) else value
        if isinstance(self.field, models.IntegerField) and not self._is_whole(value):
            raise ValueError(f"“{value}” is not a whole number.")
        try:
            return None if value is None else self.field.to_python(value)
        except ValidationError as error:
            raise ValueError(" ".join(error.messages)) from error

    def _text(self, value: object) -> str:
        if value is None or isinstance(value, str):
            return value or ""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"“{value}” is not a text. Format the cell as text.")
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)

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
    that a file may swap them; see `parking`.

    The `user` is the one who imports; None for a program, which may do everything.
    """

    class Meta:
        clean_model_instances = True
        report_skipped = True
        skip_diff = True  # skip_row() and the preview make their own comparisons
        store_instance = True
        use_transactions = True
        caller_keys = False

    def __init__(self, user: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self.user = user
        self.numbers: Sequence[int] = ()
        self.seen: dict[Any, int] = {}
        self.unique_keys = list(unique_keys(self.model))
        self.parking = sorted({key.column for key in self.unique_keys})
        self.parked: dict[Any, ContentModel] = {}  # by key, as they were stored
        self.before: dict[str, Any] = {}
        self.changed: list[str] = []

    @property
    def model(self) -> type[ContentModel]:
        model: type[ContentModel] = self._meta.model
        return model

    @classmethod
    def field_from_django_field(cls, field_name: str, django_field: Any, readonly: bool) -> Column:  # noqa: FBT001 - the library's signature
        return Column(attribute=django_field.attname, column_name=field_name, widget=ColumnWidget(django_field))

    # --- export ------------------------------------------------------------------------------------------------------
    def table(self, queryset: Any, fields: Sequence[str] | None = None) -> tuple[list[str], Iterator[list[Any]]]:
        """Return the headers of these columns (None: all), and an iterator over the rows that exist for the user."""
        columns, visible = self.get_export_fields(fields), queryset.visible_to(self.user)
        rows = ([self.export_field(column, obj) for column in columns] for obj in self.iter_queryset(visible))
        return [column.column_name for column in columns], rows

    def iter_queryset(self, queryset: models.QuerySet[Any]) -> Iterator[Any]:
        """Yield the objects by key, in keyset pages: constant memory, without a server-side cursor."""
        rows, last = queryset.order_by("pk"), None
        while page := list((rows if last is None else rows.filter(pk__gt=last))[:PAGE]):
            yield from page
            last = page[-1].pk

    # --- import ------------------------------------------------------------------------------------------------------
    def import_data(self, dataset: tablib.Dataset, *args: Any, **options: Any) -> ContentResult:
        self.numbers, self.seen = getattr(dataset, "numbers", range(1, len(dataset) + 1)), {}
        user = cause().user if self.user is None else lambda: self.user
        reason = f"Imported from {options.get('file_name') or 'a file'}"
        with caused_by(replace(cause(), user=user, reason=reason)):
            result: ContentResult = super().import_data(dataset, *args, **options)
        return result

    def get_result_class(self) -> Any:  # a class method in the library; this one needs the rows' numbers
        return lambda: ContentResult(self.numbers, self.get_import_fields())

    @classmethod
    def get_row_result_class(cls) -> type[ContentRow]:
        return ContentRow

    def before_import(self, dataset: tablib.Dataset, **_options: object) -> None:
        known = [column.column_name for column in self.get_import_fields()]
        unknown = [name for name in dataset.headers or [] if name not in known]
        if unknown:
            dataset.wipe()
            raise FileError(f"There is no column {', '.join(unknown)}. The columns may be: {', '.join(known)}.")
        self._park(dataset)

    def _park(self, dataset: tablib.Dataset) -> None:
        """Park the objects of which the file changes a unique value."""
        self.parked = {}
        names = {name for key in self.unique_keys for name in key.names} & {*(dataset.headers or ())}
        columns = [column for column in self.get_import_fields() if column.column_name in names]
        rows: dict[Any, dict[str, Any]] = {}
        for cells in dataset if columns else ():
            row = dict(zip(dataset.headers, cells, strict=True))
            self.before_import_row(row)
            with suppress(ValidationError):  # which is reported with the row
                key = self._key(row)
                self.model._meta.pk.run_validators(key)  # `pk__in` raises for a number that the database can't hold
                rows.setdefault(key, row)
        keys = [key for key in rows if key is not None]
        for start in range(0, len(keys), PAGE):
            page = self.model.objects.visible_to(self.user).filter(pk__in=keys[start : start + PAGE])
            moving = [obj.pk for obj in page if self._changes(obj, columns, rows[obj.pk])]
            self.parked |= park(self.model, self.parking, moving)

    def _changes(self, obj: ContentModel, columns: Sequence[Column], row: Mapping[str, Any]) -> bool:
        """Return whether the row has other values for the columns than the object, which gets them."""
        before = column_values(obj)
        try:
            for column in columns:
                self.import_field(column, obj, row)
        except ValueError:
            return False  # reported with the row
        return column_values(obj) != before

    def before_import_row(self, row: dict[str, Any], **_options: object) -> None:
        for name in [name for name, value in row.items() if value is MISSING]:
            del row[name]

    def get_instance(self, _loader: object, row: Mapping[str, Any]) -> ContentModel | None:
        """Return the object that the row changes; None if the row adds an object.

        Raises:
            ValidationError: no such object exists for the user.
        """
        key = self._key(row)
        if key is None:
            return None
        if key in self.parked:
            return self.parked[key]
        obj: ContentModel | None = self.model.objects.visible_to(self.user).filter(pk=key).first()
        if obj is None and not self._meta.caller_keys:
            column, name = self.model._meta.pk.name, self.model._meta.verbose_name
            unseen = Person(self.user).unseen(self.model, key)
            raise ValidationError({column: f"{unseen} Leave the {column} empty to add a new {name}."})
        return obj

    def _key(self, row: Mapping[str, Any]) -> Any:
        """Return the row's key; None if the row has no key.

        Raises:
            ValidationError: the cell does not hold a key.
        """
        column = self.fields[self.model._meta.pk.name]
        try:
            return column.clean(row) if column.column_name in row else None
        except ValueError as error:
            raise ValidationError({column.column_name: str(error)}) from error

    def after_init_instance(self, instance: ContentModel, new: bool, row: Any, **options: Any) -> None:  # noqa: FBT001 - the library's signature
        key = self._key(row) if new else instance.pk  # a new instance may have a default key, which does not count
        self.before = column_values(instance) | {self.model._meta.pk.attname: key}
        number = self.numbers[options["row_number"] - 1]
        first = number if key is None else self.seen.setdefault(key, number)
        if first != number:
            name = self.model._meta.pk.name
            raise ValidationError({name: f"the {name} {key} is in row {first} already."})

    def import_instance(self, instance: ContentModel, row: Mapping[str, Any], **options: Any) -> None:
        errors: dict[str, list[ValidationError]] = {}
        for column in self.get_import_fields():
            try:
                self.import_field(column, instance, row, **options)
            except ValueError as error:
                errors[column.column_name] = [ValidationError(str(error), code="invalid")]
        now, fields, adding = column_values(instance), instance._meta.concrete_fields, instance._state.adding
        parked = self.parking if instance.pk in self.parked else ()
        self.changed = [
            field.name for field in fields if now[field.attname] != self.before[field.attname] or field.name in parked
        ]
        if adding or self.changed:
            # Before the model's own rules: "name is taken" would reveal a parent that this user can't see.
            write = Write("add", instance) if adding else Write("change", instance, self.before)
            errors = as_error(refusals(write, Person(self.user))).update_error_dict(errors)
        if errors:
            raise ValidationError(errors)

    def validate_instance(
        self,
        instance: ContentModel,
        import_validation_errors: Any = None,
        validate_unique: bool = True,  # noqa: FBT001, FBT002 - the library's signature
    ) -> None:
        try:
            super().validate_instance(instance, import_validation_errors, validate_unique)
        except ValidationError as error:
            raise with_cures(self.model, self.unique_keys, error) from None

    def skip_row(
        self, instance: ContentModel, _original: object, _row: object, import_validation_errors: object = None
    ) -> bool:
        return not import_validation_errors and not self.changed and not instance._state.adding

    def do_instance_save(self, instance: ContentModel, is_create: bool) -> None:  # noqa: FBT001 - the library's signature
        if is_create:
            instance.save(force_insert=True)
        else:
            instance.save_fields(self.changed)

    def after_import_row(self, _row: object, row_result: ContentRow, **options: Any) -> None:
        row_result.number = self.numbers[options["row_number"] - 1]
        row_result.before = self.before

    def after_import(self, _dataset: object, _result: Result, **_options: object) -> None:
        """Do nothing, where the library sets the sequence of keys: that would race with other writers."""
