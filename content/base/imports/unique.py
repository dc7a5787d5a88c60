"""The unique keys of a model: values that no two of its objects share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.db import models
from django.utils.translation import gettext as _

HOLDS_PLACEHOLDERS = (models.CharField, models.TextField, models.UUIDField, models.IntegerField)


@dataclass(frozen=True, kw_only=True)
class UniqueKey:
    """Values that no two objects of a model share.

    Attributes:
        names: the names of its fields, and of those in its condition.
        values: the expressions of its values.
        condition: which objects it holds for; None for all.
        column: the one of these fields that can hold a placeholder, see `parking`; empty if there is none.
        message: refuses an object whose values another one has.
        field: the field to which the message belongs, or NON_FIELD_ERRORS.
    """

    names: frozenset[str]
    values: tuple[Any, ...]
    condition: Any = None
    column: str
    message: str
    field: str = NON_FIELD_ERRORS

    def problem(self, model: Any) -> tuple[str, str]:
        """Return the column and the message, with the cure if there is one, for a row with another object's values."""
        if not self.column:
            return self.field, self.message
        label, other = model._meta.get_field(self.column).verbose_name, model._meta.verbose_name
        cure = _("Choose another %(label)s, or change the other %(other)s's %(label)s in the same file.")
        return self.column, f"{self.message} {cure % {'label': label, 'other': other}}"


def unique_keys(model: Any) -> Iterator[UniqueKey]:
    """Yield the unique keys of a model beside its primary key."""
    options = model._meta
    for names in [*((field.name,) for field in options.concrete_fields if field.unique), *options.unique_together]:
        if names != (options.pk.name,):
            yield _of_fields(model, names)
    for constraint in options.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            yield _of_constraint(model, constraint)


def taken_key(model: Any) -> str:
    """Return Django's message for a new object with the primary key of another one."""
    return str(model().unique_error_message(model, (model._meta.pk.name,)).messages[0])


def _of_fields(model: Any, names: Sequence[str]) -> UniqueKey:
    return UniqueKey(
        names=frozenset(names),
        values=tuple(map(models.F, names)),
        column=_column(model, names),
        message=model().unique_error_message(model, names).messages[0],
        field=names[0] if len(names) == 1 else NON_FIELD_ERRORS,
    )


def _of_constraint(model: Any, constraint: models.UniqueConstraint) -> UniqueKey:
    parts = [*constraint.expressions, *filter(None, [constraint.condition])]
    names = [*constraint.fields, *(reference[0] for part in parts for reference in model._get_expr_references(part))]
    is_default = constraint.violation_error_message == constraint.default_violation_error_message
    if constraint.fields and not constraint.condition and is_default:  # as `UniqueConstraint.validate` does
        return _of_fields(model, constraint.fields)
    return UniqueKey(
        names=frozenset(names),
        values=(*map(models.F, constraint.fields), *map(_value, constraint.expressions)),
        condition=constraint.condition,
        column=_column(model, names),
        message=str(constraint.get_violation_error_message()),
    )


def _value(expression: Any) -> Any:
    """Return the expression of a value without its place in an index, such as DESC."""
    if hasattr(expression, "get_expression_for_validation"):
        expression = expression.get_expression_for_validation()
    return expression


def _column(model: Any, names: Any) -> str:
    fields = [model._meta.get_field(name) for name in names]
    free = [field for field in fields if isinstance(field, HOLDS_PLACEHOLDERS) and not field.primary_key]
    return free[0].name if free else ""
