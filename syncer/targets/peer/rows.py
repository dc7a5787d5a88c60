"""The objects themselves, as peers tell of them: read, and made out of JSON values. Nothing here writes."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.db.models import Max
from django.utils import timezone

from backoffice.kit.history import history_of
from syncer.core.merge import Content
from syncer.models import Route
from syncer.models.keys import json_value, key_of, pks

NO_VALUE = "This is not a valid value of that field, or not in the form in which nodes write it."

Rows = dict[str, models.Model]  # by key
Faults = dict[str, list[str]]  # {"field": ["what is wrong"]}; under "" what is wrong with all of it


def live_rows(route: Route, keys: Iterable[str]) -> Rows:
    """The objects that are there, by key."""
    model = route.declaration.model
    found = model._default_manager.filter(pk__in=pks(model, keys))
    return {key_of(model, row.pk): row for row in found}


def content_of(route: Route, row: models.Model | None) -> Content | None:
    """The shared fields of an object as JSON values; None: it is not there."""
    if row is None:
        return None
    return {name: json_value(value_of(row, name)) for name in route.shared}


def attname(model: type[models.Model], name: str) -> str:
    """The attribute that holds a field's column; of a foreign key the key's."""
    return str(getattr(model._meta.get_field(name), "attname"))  # noqa: B009


def value_of(row: models.Model, name: str) -> Any:
    """A column's value; of a foreign key the key."""
    return getattr(row, attname(type(row), name))


def newest_history(route: Route, keys: Iterable[str]) -> dict[str, int]:
    """The number of the newest history row of each object, by key."""
    model = route.declaration.model
    pk = model._meta.pk.attname
    rows = history_of(model)._default_manager.filter(**{f"{pk}__in": pks(model, keys)})
    return {key_of(model, key): last for key, last in rows.order_by().values_list(pk).annotate(Max("history_id"))}


def row_of(
    route: Route, key: str, stored: models.Model | None, live: Content | None, content: Content | None
) -> tuple[models.Model | None, Faults]:
    """The object as it is to be, not saved; the very same one where nothing differs. Asks the database nothing."""
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
    """Give a row these values, which are as JSON has them; what is wrong with them, as far as the row alone tells."""
    faults: Faults = {}
    for name, value in values.items():
        column: Any = row._meta.get_field(name)
        try:
            setattr(row, column.attname, _read(column, value))
        except ValidationError as error:
            faults[name] = error.messages
    for column in row._meta.concrete_fields:
        if getattr(column, "auto_now", False):
            setattr(row, column.attname, timezone.now())
    return faults or faults_of(row, exclude=_links(row))


def _read(column: Any, value: Any) -> Any:
    """A column's value from JSON.

    Raises:
        ValidationError: it is none; or it is one in another form, which would be kept in ours and count as an edit.
    """
    try:
        found = column.to_python(value)
        written = json_value(found.astimezone(UTC) if isinstance(found, datetime) else found)
    except (TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise ValidationError(NO_VALUE) from error
    if type(written) is not type(value) or written != value:
        raise ValidationError(NO_VALUE)
    return found


def faults_of(row: models.Model, *, exclude: Collection[str] = (), whole: bool = False) -> Faults:
    """What its own rules say of a row; `whole`: those too for which the database is asked."""
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
    """A validation's messages by field."""
    found: Faults = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    return {"" if name == NON_FIELD_ERRORS else name: texts for name, texts in found.items()}


def _links(row: models.Model) -> set[str]:
    """Whether what they point to is there, is asked once for all items."""
    return {column.name for column in row._meta.concrete_fields if column.is_relation}


def copy_of(stored: models.Model) -> models.Model:
    row = type(stored)(**{column.attname: getattr(stored, column.attname) for column in stored._meta.concrete_fields})
    row._state.adding, row._state.db = False, stored._state.db
    return row
