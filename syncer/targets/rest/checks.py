"""Validation of a route to a REST service: each check yields the errors that `Route.clean` raises."""

import re
from collections.abc import Collection, Iterator, Mapping
from string import Formatter
from typing import Any

from django.core.exceptions import FieldError, ValidationError
from django.db import DatabaseError, models, transaction
from django.db.models.sql import Query

from syncer.models.mapping import NOT_STORABLE, Declaration, is_storable, listed, wrong

WRONG_FILTER = (FieldError, TypeError, ValueError, LookupError, ArithmeticError, DatabaseError, re.error)


def fields_errors(declaration: Declaration, fields: object) -> Iterator[ValidationError]:
    """Refuse local fields that the model's declaration does not let travel."""
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


def lookup_errors(lookup: object, fields: Mapping[str, str]) -> Iterator[ValidationError]:
    """Refuse lookup names that the route does not send: no sent value could be compared with theirs."""
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


def filter_errors(declaration: Declaration, lookups: object) -> Iterator[ValidationError]:
    """Refuse lookups that read another model, whose changes would not be noticed, and lookups that fail.

    Args:
        lookups: Django field lookups and their values, `{"user_id__gt": 10}`.
    """
    if not is_storable(lookups):
        yield wrong(NOT_STORABLE)
        return
    if not isinstance(lookups, dict):
        yield wrong('Give field lookups and values: {"user_id__gt": 10}')
        return
    for name, value in lookups.items():
        try:
            query = _tried_query(declaration.model, name, value)
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
        if sum(1 for uses in query.alias_refcount.values() if uses) > 1:
            yield wrong(
                "'%(name)s' reads another model; a filter may read only %(model)s itself",
                at=name,
                name=name,
                model=declaration.label,
            )


def _tried_query(model: type[models.Model], name: str, value: Any) -> Query:
    """Return the query of one lookup, after running it: many faults of a value show only in the database."""
    if name.endswith("regex"):
        re.compile(value)  # SQLite does not compile the pattern before it has a row to match
    matches = model._default_manager.filter(**{name: value})
    with transaction.atomic():
        list(matches.values_list("pk")[:1])
    return matches.query


def create_path_errors(path: str, mapped: Collection[str]) -> Iterator[ValidationError]:
    """Refuse placeholders that are not among the `mapped` local fields."""
    try:
        placeholders = [part for part in Formatter().parse(path) if part[1] is not None]
    except ValueError:
        yield wrong("The braces in '%(path)s' do not match; write a place as {post}", path=path)
        return
    for _, name, format_spec, conversion in placeholders:
        if format_spec or conversion or name not in mapped:
            yield wrong(
                "'{%(name)s}' is not a local field of this route; choose one of: %(choices)s",
                name=f"{name}{f'!{conversion}' if conversion else ''}{f':{format_spec}' if format_spec else ''}",
                choices=listed(mapped),
            )
