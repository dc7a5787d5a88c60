"""The shared objects as JSON values: read from rows, and made into rows. Nothing here writes."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import DataError, IntegrityError, models
from django.db.models import Max
from django.db.models.deletion import ProtectedError, RestrictedError
from django.utils import timezone

from backoffice.kit.history import history_of
from backoffice.kit.permissions import Write
from syncer.core.merge import Content
from syncer.models import Route
from syncer.models.keys import json_value, key_of, pks

NO_VALUE = "This is not a valid value of that field, or not in the form in which nodes write it."

REFUSED = (IntegrityError, DataError, ProtectedError, RestrictedError, ValidationError)  # a write

Account = AbstractBaseUser | AnonymousUser  # that a request is signed in as
Rows = dict[str, models.Model]  # by key
Faults = dict[str, list[str]]  # {"field": ["what is wrong"]}; errors of the whole row are under ""


def live_rows(route: Route, keys: Iterable[str]) -> Rows:
    """Return the objects that exist, by key."""
    model = route.declaration.model
    rows = model._default_manager.filter(pk__in=pks(model, keys))
    return {key_of(model, row.pk): row for row in rows}


def content_of(route: Route, row: models.Model | None) -> Content | None:
    """Return the shared fields of an object as JSON values; None if it does not exist."""
    if row is None:
        return None
    return {name: json_value(value_of(row, name)) for name in route.shared}


def column_of(model: type[models.Model], name: str) -> "models.Field[Any, Any]":
    """Return a field that has a column; shared fields all have one, unlike relations from other models."""
    return cast("models.Field[Any, Any]", model._meta.get_field(name))


def attname(model: type[models.Model], name: str) -> str:
    """Return the attribute that holds a field's column, such as `parent_id` for a foreign key `parent`."""
    return column_of(model, name).attname


def value_of(row: models.Model, name: str) -> Any:
    """Return a column's value; for a foreign key, the key."""
    return getattr(row, attname(type(row), name))


def newest_history(route: Route, keys: Iterable[str]) -> dict[str, int]:
    """Return the id of the newest history row of each object, by key."""
    model = route.declaration.model
    pk = model._meta.pk.attname
    rows = history_of(model)._default_manager.filter(**{f"{pk}__in": pks(model, keys)})
    return {key_of(model, key): last for key, last in rows.order_by().values_list(pk).annotate(Max("history_id"))}


def row_of(
    route: Route, key: str, stored: models.Model | None, live: Content | None, content: Content | None
) -> tuple[models.Model | None, Faults]:
    """Make the row for a wanted content. Nothing is saved, and no query is run.

    Args:
        stored: the object; None if it does not exist.
        live: its content; None if it does not exist.
        content: the wanted content; None to delete the object.

    Returns:
        The row, and its faults; `stored` itself if nothing differs, None if the object is to be deleted.
    """
    if content is None:
        return None, {}
    old = live or {}
    differing = {
        name: content[name] for name in route.shared if name in content and content[name] != old.get(name, ...)
    }
    if stored is not None and not differing:
        return stored, {}
    model = route.declaration.model
    row = model(pk=pks(model, [key])[0]) if stored is None else copy_of(stored)
    return row, fill(row, differing)


def fill(row: models.Model, values: Mapping[str, Any]) -> Faults:
    """Give a row these JSON values.

    Returns:
        What is wrong with the values, as far as that can be found without the database.
    """
    faults: Faults = {}
    for name, value in values.items():
        column = column_of(type(row), name)
        try:
            setattr(row, column.attname, _read(column, value))
        except ValidationError as error:
            faults[name] = error.messages
    for column in row._meta.concrete_fields:
        if getattr(column, "auto_now", False):
            setattr(row, column.attname, timezone.now())
    # Whether the linked objects exist is checked once for all items.
    links = {column.name for column in row._meta.concrete_fields if column.is_relation}
    return faults or faults_of(row, exclude=links)


def _read(column: "models.Field[Any, Any]", value: object) -> Any:
    """Return a column's value from JSON.

    Raises:
        ValidationError: it is not a valid value, or is written in another form than ours; stored, such a value would
            be written in our form, and count as an edit.
    """
    try:
        python_value = column.to_python(value)
        written = json_value(python_value.astimezone(UTC) if isinstance(python_value, datetime) else python_value)
    except (TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise ValidationError(NO_VALUE) from error
    if type(written) is not type(value) or written != value:
        raise ValidationError(NO_VALUE)
    return python_value


def faults_of(row: models.Model, *, exclude: Collection[str] = (), whole: bool = False) -> Faults:
    """Return what a row's own rules find wrong with it.

    Args:
        whole: whether to apply the rules that run queries too, such as unique constraints.
    """
    try:
        if whole:
            row.full_clean(exclude=set(exclude))
        else:
            row.clean_fields(exclude=set(exclude))
            row.clean()
    except ValidationError as error:
        return texts_of(error)
    return {}


def texts_of(error: ValidationError) -> Faults:
    """Return an error's messages by field; those of the whole row are under ""."""
    messages: Faults = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    return {"" if name == NON_FIELD_ERRORS else name: texts for name, texts in messages.items()}


def copy_of(stored: models.Model) -> models.Model:
    """Return a copy of a row that saves as an update."""
    row = type(stored)(**{column.attname: getattr(stored, column.attname) for column in stored._meta.concrete_fields})
    row._state.adding, row._state.db = False, stored._state.db
    return row


def write_of(route: Route, row: models.Model | None, stored: models.Model | None) -> Write:
    """Return the write that makes `stored` (None: the object does not exist) into `row` (None: it is to be deleted)."""
    if row is None:
        return Write("delete", stored or route.declaration.model(pk=None))
    if stored is None:
        return Write("add", row)
    return Write(
        "change", row, {column.attname: getattr(stored, column.attname) for column in row._meta.concrete_fields}
    )
