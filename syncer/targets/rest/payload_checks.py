"""Validation of what a route sends to a REST service: which objects, which fields, and how they are written.

What a route says of the target's paths, answers and pages is checked in `dialect_checks.py`.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from string import Formatter
from typing import Any

from django.core.exceptions import FieldError, ValidationError
from django.db import DatabaseError, models, transaction
from django.db.models.sql import Query
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from syncer.models import Route
from syncer.models.mapping import NOT_STORABLE, Declaration, is_storable, listed, parent_errors, wrong
from syncer.targets.rest.formats import FORMATS, formats_of

WRONG_FILTER = (FieldError, TypeError, ValueError, LookupError, ArithmeticError, DatabaseError, re.error)


SHAPES: Mapping[str, tuple[type, Promise]] = {  # of the JSON columns, and what the error of another shape says
    "fields": (dict, gettext_lazy('Give remote names and local fields: {"userId": "user_id"}')),
    "lookup": (list, gettext_lazy('Give a list of remote names: ["userId", "title"]')),
    "filter": (dict, gettext_lazy('Give field lookups and values: {"user_id__gt": 10}')),
    "constants": (dict, gettext_lazy('Give remote names and their values: {"type": "posts"}')),
    "values": (
        dict,
        gettext_lazy('Give remote names and the words for their values: {"state": {"DELIVERED": "completed"}}'),
    ),
    "formats": (dict, gettext_lazy('Give remote names and formats: {"due": "date"}')),
}


def errors(route: Route) -> Iterator[tuple[str, ValidationError]]:
    """Yield every error with its column. A column that has another shape is not looked into."""
    misshapen = dict(_shape_errors(route))
    yield from misshapen.items()
    declaration, fields = route.declaration, route.fields if isinstance(route.fields, dict) else {}
    if not route.path:
        yield "path", wrong(_("Give the path where the target keeps these records: /posts"))
    if not fields:
        yield "fields", wrong(_("Give what is sent, remote names and local fields"))
    mapped = [name for name in declaration.mappable if name in fields.values()]
    checks = (
        ("fields", _fields_errors(declaration, fields)),
        ("fields", parent_errors(declaration, fields, {route.model, *route.models_beside()})),
        ("lookup", _lookup_errors(route.lookup, fields)),
        ("filter", _filter_errors(declaration, route.filter)),
        ("constants", _constants_errors(route.constants, fields)),
        ("values", _values_errors(declaration, route.values, fields)),
        ("formats", _formats_errors(declaration, route.formats, fields)),
        ("create_path", _create_path_errors(route.create_path, mapped)),
    )
    for column, refusals in checks:
        if column not in misshapen:
            yield from ((column, refusal) for refusal in refusals)


def _shape_errors(route: Route) -> Iterator[tuple[str, ValidationError]]:
    for column, (shape, why) in SHAPES.items():
        value = getattr(route, column)
        if not is_storable(value):
            yield column, wrong(str(NOT_STORABLE))
        elif not isinstance(value, shape):
            yield column, wrong(str(why))


def _fields_errors(declaration: Declaration, fields: Mapping[str, str]) -> Iterator[ValidationError]:
    """Refuse local fields that the model's declaration does not let travel."""
    for remote, local in fields.items():
        if local not in declaration.mappable:
            yield wrong(
                _("%(model)s has no field '%(field)s' that may travel; choose one of: %(choices)s"),
                at=remote,
                model=declaration.label,
                field=local,
                choices=listed(declaration.mappable),
            )
    yield from _name_errors(fields)


def _name_errors(names: Collection[str], others: Collection[str] = ()) -> Iterator[ValidationError]:
    """Refuse remote names with empty parts, and pairs of which one would lie inside the value of the other."""
    for name in names:
        if not all(name.split(".")):
            yield wrong(_("'%(name)s' has an empty part; write nested names as author.id"), at=name, name=name)
        inside = [(name, outer) for outer in (*names, *others) if name.startswith(f"{outer}.")]
        around = [(inner, name) for inner in others if inner.startswith(f"{name}.")]
        for inner, outer in inside + around:
            yield wrong(
                _("'%(inner)s' lies inside '%(outer)s', which is sent as a value of its own; leave one of them out"),
                at=name,
                inner=inner,
                outer=outer,
            )


def _constants_errors(constants: Collection[str], fields: Mapping[str, str]) -> Iterator[ValidationError]:
    """Refuse constants whose names the fields have already."""
    for name in constants:
        if name in fields:
            yield wrong(_("'%(name)s' is among the fields already; leave one of them out"), at=name, name=name)
    yield from _name_errors(constants, fields)


def _values_errors(
    declaration: Declaration, values: Mapping[str, object], fields: Mapping[str, str]
) -> Iterator[ValidationError]:
    """Refuse other words for values that are not sent, or that the field never has."""
    for remote, words in values.items():
        if remote not in fields:
            yield _not_sent(remote, fields)
        elif not isinstance(words, dict) or not words:
            yield wrong(_('Give the words for its values: {"DELIVERED": "completed", "null": ""}'), at=remote)
        elif fields[remote] in declaration.fields:
            field: Any = declaration.model._meta.get_field(fields[remote])
            known = [str(choice) for choice, _label in field.flatchoices] if field.choices else []
            known = ["true", "false"] if isinstance(field, models.BooleanField) else known
            known += ["null"] if field.null and known else []
            for word in words:
                if known and word not in known:
                    yield wrong(
                        _("'%(field)s' never has the value '%(word)s'; choose one of: %(choices)s"),
                        at=remote,
                        field=fields[remote],
                        word=word,
                        choices=listed(known),
                    )


def _formats_errors(
    declaration: Declaration, formats: Mapping[str, object], fields: Mapping[str, str]
) -> Iterator[ValidationError]:
    """Refuse unknown formats, and those that do not fit the type of the field."""
    for remote, name in formats.items():
        if remote not in fields:
            yield _not_sent(remote, fields)
            continue
        local, choices = fields[remote], [*FORMATS]
        if local in declaration.fields:
            field: Any = declaration.model._meta.get_field(local)
            choices = formats_of(field)
        if name not in choices:
            why = _("'%(name)s' is not a format for '%(field)s'; choose one of: %(choices)s")
            if name not in [*FORMATS]:
                why = _("'%(name)s' is not a format; choose one of: %(choices)s")
            yield wrong(
                why,
                at=remote,
                name=name,
                field=local,
                choices=listed(choices),
            )


def _not_sent(remote: object, fields: Mapping[str, str], *, at: int | None = None) -> ValidationError:
    return wrong(
        _("'%(name)s' is not among the remote names in fields; choose one of: %(choices)s"),
        at=str(remote) if at is None else at,
        name=remote,
        choices=listed(fields),
    )


def _lookup_errors(lookup: Sequence[object], fields: Mapping[str, str]) -> Iterator[ValidationError]:
    """Refuse lookup names that the route does not send: no sent value could be compared with theirs."""
    for position, name in enumerate(lookup):
        if name not in list(fields):
            yield _not_sent(name, fields, at=position)


def _filter_errors(declaration: Declaration, lookups: Mapping[str, object]) -> Iterator[ValidationError]:
    """Refuse lookups that read another model, whose changes would not be noticed, and lookups that fail.

    Args:
        lookups: Django field lookups and their values, `{"user_id__gt": 10}`.
    """
    for name, value in lookups.items():
        try:
            query = _tried_query(declaration.model, name, value)
        except (*WRONG_FILTER, ValidationError) as error:
            reason = listed(error.messages) if isinstance(error, ValidationError) else str(error)
            yield wrong(
                _("'%(name)s' does not filter %(model)s: %(reason)s"),
                at=name,
                name=name,
                model=declaration.label,
                reason=reason,
            )
            continue
        if sum(1 for uses in query.alias_refcount.values() if uses) > 1:
            yield wrong(
                _("'%(name)s' reads another model; a filter may read only %(model)s itself"),
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


def _create_path_errors(path: str, mapped: Collection[str]) -> Iterator[ValidationError]:
    """Refuse placeholders that are not among the `mapped` local fields."""
    try:
        placeholders = [part for part in Formatter().parse(path) if part[1] is not None]
    except ValueError:
        yield wrong(_("The braces in '%(path)s' do not match; write a place as {post}"), path=path)
        return
    for _text, name, format_spec, conversion in placeholders:
        if format_spec or conversion or name not in mapped:
            yield wrong(
                _("'{%(name)s}' is not a local field of this route; choose one of: %(choices)s"),
                name=f"{name}{f'!{conversion}' if conversion else ''}{f':{format_spec}' if format_spec else ''}",
                choices=listed(mapped),
            )
