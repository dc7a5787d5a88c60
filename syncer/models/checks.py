"""What every route may say; a kind of target adds its own rules. The form and `sync_configure` call `Route.clean`.

An error that lies inside a JSON column says where: `params["at"]` is the remote name, the lookup or the position.
"""

import math
import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from syncer.models.mapping import Declaration, declarations
from syncer.targets.base import Kind, kinds

if TYPE_CHECKING:
    from syncer.models.route import Route

DEEPEST = 8  # lists and tables within each other
NOT_TEXT = re.compile(r"[\0\ud800-\udfff]")  # PostgreSQL keeps no NUL; a lone surrogate is not UTF-8
NOT_STORABLE = "It has a NUL, half a character, a number that is none, or is nested too deeply"


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
            "%(model)s is not a model that may travel; it may be one of: %(choices)s",
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


def foreign_column_errors(route: "Route", kind: Kind) -> Iterator[tuple[str, list[ValidationError]]]:
    """Refuse columns that only routes of other kinds use."""
    for other in kinds().values():
        for column in {*other.route_columns} - {*kind.route_columns}:
            if getattr(route, column):
                yield (
                    column,
                    [wrong("Only a route to a target of the kind '%(kind)s' has it; leave it out", kind=other.name)],
                )
