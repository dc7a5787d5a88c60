"""Parking: an import first frees the unique values that it changes, so that only its end state is judged.

Both databases check a unique constraint row by row, and PostgreSQL can't defer one over an expression. So the objects
whose unique values a file changes first get placeholders; then each row is validated and saved in the file's order. A
row meets only values that stay: of objects that the file leaves as they are, and of rows before it. A row that fails
rolls the whole import back, so no placeholder is ever committed. See docs/adr/0022.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, models, transaction
from django.db.models import Max

from backoffice.kit.history import history_of

HOLDS_PLACEHOLDERS = (models.CharField, models.TextField, models.UUIDField, models.IntegerField)


@dataclass(frozen=True, kw_only=True)
class UniqueKey:
    """Values that no two objects of a model share.

    Attributes:
        names: the names of its fields, and of those in its condition.
        column: the one of these fields that gets the placeholder.
        message: the constraint's own message when another object has the values; empty for Django's.
    """

    names: frozenset[str]
    column: str
    message: str = ""

    def is_violated(self, error: ValidationError) -> bool:
        """Return whether Django refused an object because another one has its values."""
        refused = (error.params or {}).get("unique_check", ())
        return frozenset(refused) == self.names or error.messages == [self.message]


def unique_keys(model: Any) -> Iterator[UniqueKey]:
    """Yield the unique keys of a model beside its primary key; only those with a field that can hold a placeholder."""
    options = model._meta
    found: list[tuple[list[str], str]] = [([field.name], "") for field in options.concrete_fields if field.unique]
    found += [(list(names), "") for names in options.unique_together]
    for constraint in options.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            parts = [*constraint.expressions, *filter(None, [constraint.condition])]
            inner = [reference[0] for part in parts for reference in model._get_expr_references(part)]
            found.append(([*constraint.fields, *inner], str(constraint.get_violation_error_message())))
    for names, message in found:
        fields = [options.get_field(name) for name in names]
        free = [field for field in fields if isinstance(field, HOLDS_PLACEHOLDERS) and not field.primary_key]
        if free:
            yield UniqueKey(names=frozenset(names), column=free[0].name, message=message)


def park(model: Any, columns: Sequence[str], keys: Iterable[Any]) -> dict[Any, Any]:
    """Give the `columns` of these objects placeholders, which leave no history; keep the rows locked.

    Returns:
        The objects as they were stored, by key; none of them if a constraint allows no placeholder. Then the objects
        are as they were, and their rows are judged one after the other.
    """
    rows = model.objects.filter(pk__in=keys)
    versions = history_of(model)._default_manager.filter(**{f"{model._meta.pk.name}__in": keys})
    stored = {obj.pk: obj for obj in rows.order_by("pk").select_for_update()}
    newest = versions.aggregate(newest=Max("history_id"))["newest"] or 0
    fields = [model._meta.get_field(column) for column in columns]
    parked = [model(pk=pk, **{field.name: _placeholder(field) for field in fields}) for pk in stored]
    try:
        with transaction.atomic():
            model.objects.bulk_update(parked, columns)
            versions.filter(history_id__gt=newest).delete()  # ours alone: the rows are locked
    except (DataError, IntegrityError):
        return {}
    return stored


def _placeholder(field: Any) -> Any:
    """Return a random value; that another object has it is as good as impossible, and would only refuse the file."""
    if isinstance(field, models.IntegerField):
        return random.randrange(2**30, 2**31)  # noqa: S311 - no secret
    value = uuid4()
    return value if isinstance(field, models.UUIDField) else value.hex[: field.max_length]


def with_cures(model: Any, keys: Iterable[UniqueKey], error: ValidationError) -> ValidationError:
    """Return the error of an object; a value that another object has is named with its column and the cure."""
    errors: dict[str, list[str | ValidationError]] = {}
    for name, wrongs in error.error_dict.items():
        for wrong in wrongs:
            violated = next((key for key in keys if key.is_violated(wrong)), None)
            if violated is None:
                errors.setdefault(name, []).append(wrong)
                continue
            label, other = model._meta.get_field(violated.column).verbose_name, model._meta.verbose_name
            cure = f"Choose another {label}, or change the other {other}'s {label} in the same file."
            errors.setdefault(violated.column, []).append(f"{wrong.messages[0]} {cure}")
    return ValidationError(errors)
