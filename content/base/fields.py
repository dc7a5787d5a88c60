"""Column types and constraints that every domain shares."""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.db import DEFAULT_DB_ALIAS, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Length, Trim
from django.db.models.lookups import Exact, GreaterThan, LessThanOrEqual
from django.db.models.sql.compiler import SQLCompiler
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


def order_indexes(table: str, *names: str) -> list[models.Index]:
    """Return an index for each column that lists are sorted by, with the key, which orders equal values.

    An index serves both directions. Its name is that of the table and the column.
    """
    return [models.Index(fields=[name, "id"], name=f"{table}_{name}") for name in names]


UNSEEN = {"Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Me"}  # spaces, controls, and marks, which need a letter
EMPTY_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"  # of other categories: Hangul fillers, a braille cell without dots


def is_seen(character: str) -> bool:
    return unicodedata.category(character) not in UNSEEN and character not in EMPTY_LETTERS


def not_blank(value: str) -> None:
    """Refuse text in which nothing can be seen."""
    if not any(map(is_seen, value)):
        raise ValidationError(gettext("This text may not be blank."), code="blank")


not_blank.json_schema = {"minLength": 1, "pattern": r"\S"}  # type: ignore[attr-defined]


def text_field(max_length: int, **options: Any) -> "models.CharField[str, str]":
    """Return a column for a text of 1 to `max_length` characters that is not blank; add `text_constraint` to it."""
    return models.CharField(max_length=max_length, validators=[not_blank, ProhibitNullCharactersValidator()], **options)


def optional_text_field(max_length: int, *rules: Callable[[str], None], **options: Any) -> "models.CharField[str, str]":
    """Return a column for a text of 0 to `max_length` characters; add `length_constraint` to it."""
    validators: list[Callable[[str], None]] = [ProhibitNullCharactersValidator(), *rules]
    return models.CharField(max_length=max_length, blank=True, default="", validators=validators, **options)


class FieldCheck(models.CheckConstraint):
    """A check constraint of one field, which Python can judge too: a valid object then costs no query.

    Args:
        holds: whether a value certainly satisfies the condition; of any other the database judges.
    """

    def __init__(self, *, field: str, holds: Callable[[Any], bool], **options: Any) -> None:
        super().__init__(**options)
        self.field, self.holds = field, holds

    def validate(
        self,
        model: type[models.Model],
        instance: models.Model,
        exclude: set[str] | None = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        if not self.holds(getattr(instance, self.field)):
            super().validate(model, instance, exclude, using)

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return it as Django's constraint: a migration needs the condition only."""
        _path, arguments, options = super().deconstruct()
        return "django.db.models.CheckConstraint", arguments, options

    def clone(self) -> Self:
        _path, _arguments, options = self.deconstruct()
        return type(self)(field=self.field, holds=self.holds, **options)


def text_constraint(field: str, max_length: int) -> FieldCheck:
    """Return the constraint for a `text_field`: SQLite's columns don't enforce a length."""
    return FieldCheck(
        field=field,
        holds=lambda value: isinstance(value, str) and bool(value.strip(" ")) and len(value) <= max_length,
        name=f"%(app_label)s_%(class)s_{field}_text",
        condition=models.Q(GreaterThan(Length(Trim(field)), 0)) & models.Q(LessThanOrEqual(Length(field), max_length)),
        violation_error_message=format_lazy(
            _("{field} must have 1 to {most} characters and may not be blank."), field=field, most=max_length
        ),
    )


def length_constraint(field: str, max_length: int) -> FieldCheck:
    """Return the constraint for an `optional_text_field`: SQLite's columns don't enforce a length."""
    return FieldCheck(
        field=field,
        holds=lambda value: isinstance(value, str) and len(value) <= max_length,
        name=f"%(app_label)s_%(class)s_{field}_length",
        condition=models.Q(LessThanOrEqual(Length(field), max_length)),
        violation_error_message=format_lazy(
            _("{field} may have at most {most} characters."), field=field, most=max_length
        ),
    )


class JsonType(models.Func):
    """The type of the JSON in a column: `object`, `array`, …"""

    function = "JSON_TYPE"
    output_field = models.TextField()

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        return super().as_sql(compiler, connection, function="jsonb_typeof", **extra)


def json_object_constraint(field: str) -> FieldCheck:
    """Return the constraint that a column holds a JSON object."""
    return FieldCheck(
        field=field,
        holds=lambda value: isinstance(value, dict),
        name=f"%(app_label)s_%(class)s_{field}_object",
        condition=models.Q(Exact(JsonType(field), models.Value("object"))),
        violation_error_message=format_lazy(_("{field} must be a JSON object."), field=field),
    )


def integer_constraint(field: str) -> FieldCheck:
    """Return the constraint for the range of a PostgreSQL `integer`: SQLite's columns don't enforce one."""
    low, high = -(2**31), 2**31 - 1
    return FieldCheck(
        field=field,
        holds=lambda value: isinstance(value, int) and low <= value <= high,
        name=f"%(app_label)s_%(class)s_{field}_range",
        condition=models.Q(**{f"{field}__gte": low, f"{field}__lte": high}),
        violation_error_message=format_lazy(
            _("{field} must be a whole number from {low} to {high}."), field=field, low=low, high=high
        ),
    )
