"""What of a model may travel, as a domain's `sync.py` declares it, and what every route may say of that.

Declaring does nothing. A kind of target adds rules of its own; the form and `sync_configure` call `Route.clean`. An
error that lies inside a JSON column says where: `params["at"]` is the remote name, the lookup or the position.
"""

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from syncer.core.merge import EXISTS

DEEPEST = 8  # lists and tables within each other
NOT_TEXT = re.compile(r"[\0\ud800-\udfff]")  # PostgreSQL keeps no NUL; a lone surrogate is not UTF-8
NOT_STORABLE = "It holds a NUL, an unpaired surrogate, NaN or Infinity, or is nested too deeply"


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What a domain allows for one model.

    Attributes:
        model: the model itself.
        fields: the names of the fields that may travel; a route can map only these.
        natural_key: the fields that tell two objects apart where no key is shared.
        parent: the foreign key whose record must exist at the target first.
        authority: which node wins when both changed the same field, `{"field": "node"}`; under EXISTS, when one changed
            what the other deleted.
    """

    model: type[models.Model]
    fields: tuple[str, ...]
    natural_key: tuple[str, ...] = ()
    parent: str | None = None
    authority: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The model's name in routes, `news.Post`."""
        return self.model._meta.label


_declarations: dict[str, Declaration] = {}


def declare(
    model: type[models.Model],
    *,
    fields: tuple[str, ...],
    natural_key: tuple[str, ...] = (),
    parent: str | None = None,
    authority: Mapping[str, str] | None = None,
) -> None:
    """Let `fields` of `model` travel. Called once a model, from its domain's `sync.py`.

    Raises:
        FieldDoesNotExist: a name is not a field of the model.
        ValueError: `natural_key`, `parent` or `authority` names a field that is not in `fields`.
    """
    for name in fields:
        model._meta.get_field(name)
    named = {*natural_key, *([parent] if parent else []), *(authority or {})} - {EXISTS}
    if stray := named - set(fields):
        raise ValueError(f"{model._meta.label}: {', '.join(sorted(stray))} must be among the fields that may travel.")
    _declarations[model._meta.label] = Declaration(
        model=model, fields=fields, natural_key=natural_key, parent=parent, authority=authority or {}
    )


def declarations() -> Mapping[str, Declaration]:
    """All that was declared, by model label."""
    return _declarations


# --- what every route may say ----------------------------------------------------------------------------------------
def wrong(message: str, *, at: str | int | None = None, **words: object) -> ValidationError:
    """An error whose `message` has places for `words`, `%(name)s`."""
    return ValidationError(message, code="route", params={"at": at, **words})


def listed(names: Collection[Any]) -> str:
    """`a, b, c`, for "it may be one of"."""
    return ", ".join(map(str, names)) or "none"


def is_storable(value: Any, *, deepest: int = DEEPEST) -> bool:
    """This JSON can be kept in every database, and shown."""
    if isinstance(value, str):
        return not NOT_TEXT.search(value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        value = [*value, *value.values()]
    return not isinstance(value, list) or (
        deepest > 0 and all(is_storable(part, deepest=deepest - 1) for part in value)
    )


def model_errors(model: str) -> Iterator[ValidationError]:
    """Refuse a model of which no domain says what may travel."""
    if model not in declarations():
        yield wrong(
            "%(model)s is not a model that may travel; choose one of: %(choices)s",
            model=model,
            choices=listed(sorted(declarations())),
        )


def parent_errors(
    declaration: Declaration, fields: Mapping[str, str], routed: Collection[str]
) -> Iterator[ValidationError]:
    """Refuse a foreign key to a model that has no route on the same target: its remote ids would never be known.

    Args:
        routed: the labels of the models that have one.
    """
    for remote, local in fields.items():
        parent = declaration.model._meta.get_field(local).related_model if local in declaration.fields else None
        if parent and not isinstance(parent, str) and parent._meta.label not in routed:
            yield wrong(
                "'%(field)s' is sent as the remote id of its %(parent)s, which has no route on this target. "
                "Add a route for %(parent)s, or leave '%(field)s' out",
                at=remote,
                field=local,
                parent=parent._meta.label,
            )
