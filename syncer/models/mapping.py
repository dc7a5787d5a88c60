"""The declarations of what may travel, made in each domain's `sync.py`, and the rules that hold for every route.

A declaration alone sends nothing. Kinds of targets add rules of their own; the form and `sync_configure` call
`Route.clean`. An error inside a JSON column names its place: `params["at"]` is the remote name, the lookup or the
position.
"""

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from inspect import Parameter, signature
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from syncer.core.merge import EXISTS

DEEPEST = 8  # levels of nested lists and tables
NOT_TEXT = re.compile(r"[\0\ud800-\udfff]")  # PostgreSQL stores no NUL; a lone surrogate is not UTF-8
NOT_STORABLE = gettext_lazy("It holds a NUL, an unpaired surrogate, NaN or Infinity, or is nested too deeply")


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """The permissions that a domain gives for one model."""

    model: type[models.Model]
    fields: tuple[str, ...]  # that may travel; a route can map only these
    natural_key: tuple[str, ...] = ()  # the fields that identify an object where nodes share no key
    parent: str | None = None  # the foreign key whose record must exist at the target first
    # {"field": "node"}, which wins when both changed the field; under EXISTS, when one changed what the other deleted.
    authority: Mapping[str, str] = field(default_factory=dict)
    # {"headline": function}: the function gets fields by the names of its parameters, and its result can be mapped too.
    computed: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return self.model._meta.label

    @property
    def mappable(self) -> tuple[str, ...]:
        """The names that a route can map remote names to: the fields that may travel, and the computed ones."""
        return (*self.fields, *self.computed)

    def sources(self, name: str) -> tuple[str, ...]:
        """Return the fields from which a mapped value is made: the parameters of a computed one, else the field."""
        return _parameters(self.computed[name]) if name in self.computed else (name,)


@cache
def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(signature(function).parameters)


_declarations: dict[str, Declaration] = {}


def declare(
    model: type[models.Model],
    *,
    fields: tuple[str, ...],
    natural_key: tuple[str, ...] = (),
    parent: str | None = None,
    authority: Mapping[str, str] | None = None,
    computed: Mapping[str, Callable[..., Any]] | None = None,
) -> None:
    """Let `fields` of `model` travel; called once per model, from its domain's `sync.py`.

    Args:
        computed: what a route can send beside the fields, `{"slug": slug}`. Each is a pure function of fields that may
            travel, `def slug(title: str) -> str`, which returns a JSON value, a date, a time, a decimal or a UUID.

    Raises:
        FieldDoesNotExist: the model has no field of that name.
        ValueError: `natural_key`, `parent` or `authority` names a field that is not in `fields`, or a computed field
            has the name of a field, or a parameter that is not the name of a field that may travel.
    """
    for name in fields:
        model._meta.get_field(name)
    named = {*natural_key, *([parent] if parent else []), *(authority or {})} - {EXISTS}
    if stray := named - set(fields):
        raise ValueError(f"{model._meta.label}: {', '.join(sorted(stray))} must be among the fields that may travel.")
    for name, function in (computed or {}).items():
        _check_computed(model, fields, name, function)
    _declarations[model._meta.label] = Declaration(
        model=model,
        fields=fields,
        natural_key=natural_key,
        parent=parent,
        authority=authority or {},
        computed=computed or {},
    )


def _check_computed(
    model: type[models.Model], fields: Collection[str], name: str, function: Callable[..., Any]
) -> None:
    """Refuse a computed field that could not be made from the fields that may travel.

    A foreign key is refused as a parameter: its value here and its value at the target are different ids.

    Raises:
        ValueError: see `declare`.
    """
    where = f"{model._meta.label}: the computed field {name!r}"
    if name in {taken for one in model._meta.get_fields() for taken in (one.name, getattr(one, "attname", one.name))}:
        raise ValueError(f"{where} has the name of a field; give it another name.")
    parameters = signature(function).parameters
    if not parameters:
        raise ValueError(f"{where} has no parameters; a value that never changes is a constant of the route.")
    for parameter in parameters.values():
        if parameter.kind not in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY):
            raise ValueError(f"{where} takes {str(parameter)!r}; name each field that it needs as a parameter.")
        if parameter.name not in fields:
            raise ValueError(f"{where} needs {parameter.name!r}, which is not among the fields that may travel.")
        if model._meta.get_field(parameter.name).is_relation:
            raise ValueError(
                f"{where} needs {parameter.name!r}, a foreign key, whose id is another one at each target."
            )


def declarations() -> Mapping[str, Declaration]:
    """Return all declarations, `{"news.Post": declaration}`."""
    return _declarations


# --- the rules for every route ---------------------------------------------------------------------------------------
def wrong(message: str, *, at: str | int | None = None, **words: object) -> ValidationError:
    """Return an error of a route, with placeholders for `words`, `%(name)s`; `at` is the place inside a JSON column."""
    return ValidationError(message, code="route", params={"at": at, **words})


def listed(names: Collection[object]) -> str:
    """Return `a, b, c`, to follow "choose one of"."""
    return ", ".join(map(str, names)) or _("none")


def is_storable(value: object, *, deepest: int = DEEPEST) -> bool:
    """Return whether a JSON value can be stored in every database, and shown."""
    if isinstance(value, str):
        return not NOT_TEXT.search(value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        value = [*value, *value.values()]
    return not isinstance(value, list) or (
        deepest > 0 and all(is_storable(part, deepest=deepest - 1) for part in value)
    )


def parent_errors(
    declaration: Declaration, fields: Mapping[str, str], routed: Collection[str]
) -> Iterator[ValidationError]:
    """Refuse a foreign key, in `{"remote name": "local field"}`, to a model that is not `routed` on the same target.

    Its remote ids would stay unknown.
    """
    for remote, local in fields.items():
        parent = declaration.model._meta.get_field(local).related_model if local in declaration.fields else None
        if parent and not isinstance(parent, str) and parent._meta.label not in routed:
            yield wrong(
                _(
                    "'%(field)s' is sent as the remote id of its %(parent)s, which has no route on this target. "
                    "Add a route for %(parent)s, or leave '%(field)s' out"
                ),
                at=remote,
                field=local,
                parent=parent._meta.label,
            )


def unroutable(declaration: Declaration, routed: Collection[str]) -> frozenset[str]:
    """Return the foreign keys that can't be sent, for their models are not `routed` on the same target."""
    refused = parent_errors(declaration, {name: name for name in declaration.fields}, routed)
    return frozenset(str((error.params or {})["field"]) for error in refused)
