"""What a route to a REST service may say; `Route.clean` raises what is found here."""

import re
from collections.abc import Collection, Iterator, Mapping
from string import Formatter
from typing import Any

from django.core.exceptions import FieldError, ValidationError
from django.db import DatabaseError, models, transaction

from syncer.models.mapping import NOT_STORABLE, Declaration, is_storable, listed, wrong

WRONG_FILTER = (FieldError, TypeError, ValueError, LookupError, ArithmeticError, DatabaseError, re.error)


def fields_errors(declaration: Declaration, fields: Any) -> Iterator[ValidationError]:
    """Refuse local fields that may not travel."""
    if not is_storable(fields):
        yield wrong(NOT_STORABLE)
        return
    if not isinstance(fields, dict):
        yield wrong('Give remote names and local fields: {"userId": "user_id"}')
        return
    for remote, local in fields.items():
        if local not in declaration.fields:
            yield wrong(
                "%(model)s has no field '%(field)s' that may travel; choose one of: %(choices)s",
                at=remote,
                model=declaration.label,
                field=local,
                choices=listed(declaration.fields),
            )


def lookup_errors(lookup: Any, fields: Mapping[str, str]) -> Iterator[ValidationError]:
    """Refuse lookup names that are not sent: nothing could be compared with them."""
    if not is_storable(lookup):
        yield wrong(NOT_STORABLE)
        return
    if not isinstance(lookup, list):
        yield wrong('Give a list of remote names: ["userId", "title"]')
        return
    for position, name in enumerate(lookup):
        if name not in list(fields):
            yield wrong(
                "'%(name)s' is not among the remote names in fields; choose one of: %(choices)s",
                at=position,
                name=name,
                choices=listed(fields),
            )


def filter_errors(declaration: Declaration, wanted: Any) -> Iterator[ValidationError]:
    """Refuse what is not a lookup of the model's own columns; changes of another model would not be noticed."""
    if not is_storable(wanted):
        yield wrong(NOT_STORABLE)
        return
    if not isinstance(wanted, dict):
        yield wrong('Give field lookups and values: {"user_id__gt": 10}')
        return
    for name, value in wanted.items():
        try:
            query = _tried(declaration.model, name, value)
        except (*WRONG_FILTER, ValidationError) as error:
            reason = listed(error.messages) if isinstance(error, ValidationError) else str(error)
            yield wrong(
                "'%(name)s' does not filter %(model)s: %(reason)s",
                at=name,
                name=name,
                model=declaration.label,
                reason=reason,
            )
            continue
        if sum(1 for used in query.alias_refcount.values() if used) > 1:
            yield wrong(
                "'%(name)s' reads another model; a filter may read only %(model)s itself",
                at=name,
                name=name,
                model=declaration.label,
            )


def _tried(model: type[models.Model], name: str, value: Any) -> Any:
    """The query of one lookup. It is run: much that is wrong with a value is found by the database only."""
    if name.endswith("regex"):
        re.compile(value)  # SQLite does not look at the pattern before it has a row to try
    found = model._default_manager.filter(**{name: value})
    with transaction.atomic():
        list(found.values_list("pk")[:1])
    return found.query


def create_path_errors(path: str, mapped: Collection[str]) -> Iterator[ValidationError]:
    """Refuse placeholders that are not among the `mapped` local fields."""
    try:
        places = [place for place in Formatter().parse(path) if place[1] is not None]
    except ValueError:
        yield wrong("The braces in '%(path)s' do not match; write a place as {post}", path=path)
        return
    for _, name, form, conversion in places:
        if form or conversion or name not in mapped:
            yield wrong(
                "'{%(name)s}' is not a local field of this route; choose one of: %(choices)s",
                name=f"{name}{f'!{conversion}' if conversion else ''}{f':{form}' if form else ''}",
                choices=listed(mapped),
            )
