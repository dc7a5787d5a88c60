"""What only the database can judge about the rows of an import, each rule in one statement for all of them.

Unique values are judged by the state after the last row (docs/adr/0022): a row may take a value that another row of the
file gives up. A key that has no placeholder is judged row by row instead, so that a later row gives up nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.db import connection, models
from django.utils.translation import gettext as _

from content.base.imports.staging import CHANGED, NEW, Sql, Stage
from content.base.imports.unique import UniqueKey, taken_key, unique_keys


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule that rows can break.

    Attributes:
        sql: a query for the rows that break it, `(number, value)`.
        problem: returns the column, or NON_FIELD_ERRORS, and the message for such a value.
        names: the fields that it is about; it says nothing of a row in which one of them is wrong anyway.
        is_alone: whether nothing else is said of a row that breaks it.
    """

    sql: str
    params: tuple[Any, ...] = ()
    problem: Callable[[Any], tuple[str, str]]
    names: frozenset[str] = frozenset()
    is_alone: bool = False


def judge(stage: Stage) -> Iterator[tuple[Rule, int, str, str]]:
    """Mark the rows that are wrong, and yield what is wrong with them: `(rule, row, column, message)`."""
    for rule in _rules(stage):
        for row, value in stage.find(rule.sql, rule.params):
            yield rule, row, *rule.problem(value)


def _rules(stage: Stage) -> Iterator[Rule]:
    """Yield the rules in their order; each sees which rows broke the ones before it."""
    model = stage.model
    yield _repeated(stage)
    yield _taken_key(stage)
    for field in stage.fields:
        if checks_link(field):
            yield _parent(stage, field)
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.CheckConstraint):
            yield _check(stage, constraint)
    for key in unique_keys(model):
        yield _taken(stage, key)
        yield _wanted_twice(stage, key)


def checks_link(field: Any) -> bool:
    """Return whether a foreign key's objects are looked up here; Django does it where the field limits its choices."""
    return bool(field.many_to_one) and not field.get_limit_choices_to()


def _repeated(stage: Stage) -> Rule:
    name = stage.model._meta.pk.name
    first = f"min(import_row) OVER (PARTITION BY {stage.key})"
    rows = f"SELECT import_row, {stage.key} AS pk, {first} AS first FROM {stage.name} WHERE {stage.key} IS NOT NULL"

    def problem(value: str) -> tuple[str, str]:
        number, _space, key = value.partition(" ")
        words = {"name": name, "key": stage.model._meta.pk.to_python(key), "number": number}
        return name, _("the %(name)s %(key)s is in row %(number)s already.") % words

    return Rule(
        sql=f"SELECT import_row AS number, first || ' ' || pk AS value FROM ({rows}) k WHERE first < import_row",
        problem=problem,
        is_alone=True,
    )


def _taken_key(stage: Stage) -> Rule:
    return Rule(
        sql=f"SELECT s.import_row AS number, NULL AS value FROM {stage.name} s JOIN {stage.live} t "
        f"ON t.{stage.key} = s.{stage.key} WHERE s.import_kind = '{NEW}'",
        problem=lambda _: (stage.model._meta.pk.name, taken_key(stage.model)),
    )


def _parent(stage: Stage, field: Any) -> Rule:
    quote, parent = connection.ops.quote_name, field.related_model
    column, theirs = quote(field.column), quote(field.target_field.column)

    def problem(value: Any) -> tuple[str, str]:
        key = field.target_field.to_python(value)
        params = {"model": parent._meta.verbose_name, "field": field.remote_field.field_name, "pk": key, "value": key}
        return field.name, field.error_messages["invalid"] % params

    return Rule(
        sql=f"SELECT s.import_row AS number, s.{column} AS value FROM {stage.name} s WHERE s.{column} IS NOT NULL "
        f"AND NOT EXISTS (SELECT 1 FROM {quote(parent._meta.db_table)} p WHERE p.{theirs} = s.{column})",
        problem=problem,
    )


def _check(stage: Stage, constraint: models.CheckConstraint) -> Rule:
    condition, params = stage.compiled(constraint.condition)
    return Rule(
        sql=f"SELECT import_row AS number, NULL AS value FROM {stage.name} "
        f"WHERE import_kind IN ('{NEW}', '{CHANGED}') AND NOT ({condition})",
        params=params,
        problem=lambda _: (NON_FIELD_ERRORS, str(constraint.get_violation_error_message())),
        names=frozenset(name for name, *_ in stage.model._get_expr_references(constraint.condition)),
    )


# --- unique values ---------------------------------------------------------------------------------------------------
def _taken(stage: Stage, key: UniqueKey) -> Rule:
    """The values that another object keeps."""
    pairs, params = _pairs(stage, key)
    row_by_row = "" if key.column else "AND m.import_row < s.import_row AND NOT m.import_wrong"
    gives_up = f"SELECT 1 FROM {stage.name} m WHERE m.{stage.key} = t.pk AND m.import_moves {row_by_row}"
    return Rule(
        sql=f"SELECT DISTINCT s.import_row AS number, NULL AS value FROM {pairs} WHERE NOT EXISTS ({gives_up})",
        params=params,
        problem=lambda _: key.problem(stage.model),
        names=key.names,
    )


def _wanted_twice(stage: Stage, key: UniqueKey) -> Rule:
    """The values that an earlier row gets."""
    rows, params, names = _values(stage, key, stage.name, "import_row, import_wrong", "import_moves")
    first = f"min(CASE WHEN import_wrong THEN NULL ELSE import_row END) OVER (PARTITION BY {', '.join(names)})"
    known = " AND ".join(f"{name} IS NOT NULL" for name in names)
    return Rule(
        sql=f"SELECT import_row AS number, NULL AS value FROM (SELECT import_row, {first} AS first FROM ({rows}) v "
        f"WHERE {known}) f WHERE first < import_row",
        params=params,
        problem=lambda _: key.problem(stage.model),
        names=key.names,
    )


def passed_on(stage: Stage, key: UniqueKey, most: int) -> list[tuple[int, int]]:
    """Return the rows that get a value of an object which another row changes, and that row: `(row, other)`."""
    if not key.column:
        return []  # judged row by row, so the other one comes first
    pairs, params = _pairs(stage, key)
    return stage.rows(
        f"SELECT DISTINCT s.import_row, m.import_row FROM {pairs} JOIN {stage.name} m ON m.{stage.key} = t.pk "
        f"WHERE NOT s.import_wrong AND m.import_moves ORDER BY 1, 2 LIMIT {most}",
        params,
    )


def parked(stage: Stage, key: UniqueKey) -> Sql:
    """Return a query for the keys of the objects whose values another row gets."""
    pairs, params = _pairs(stage, key)
    return f"SELECT t.pk FROM {pairs}", params


def _pairs(stage: Stage, key: UniqueKey) -> Sql:
    """Return the rows `s` and the other objects `t` that have the values which the row gives to its own, as a join."""
    ours, our_params, names = _values(
        stage, key, stage.name, f"import_row, import_wrong, {stage.key} AS pk", "import_moves"
    )
    theirs, their_params, _ = _values(stage, key, stage.live, f"{stage.key} AS pk", "")
    same = " AND ".join(f"s.{name} = t.{name}" for name in names)
    return f"({ours}) s JOIN ({theirs}) t ON {same} AND (s.pk IS NULL OR s.pk <> t.pk)", our_params + their_params


def _values(stage: Stage, key: UniqueKey, table: str, columns: str, condition: str) -> tuple[str, Any, list[str]]:
    """Return a query for the key's values beside other columns, its parameters, and the names of the values in it."""
    compiled = [stage.compiled(value) for value in key.values]
    names = [f"value_{number}" for number in range(len(compiled))]
    values = [f"{sql} AS {name}" for (sql, _), name in zip(compiled, names, strict=True)]
    params = [param for _, part in compiled for param in part]
    conditions = [condition] if condition else []
    if key.condition is not None:
        sql, more = stage.compiled(key.condition)
        conditions.append(f"({sql})")
        params += more
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {columns}, {', '.join(values)} FROM {table}{where}", tuple(params), names
