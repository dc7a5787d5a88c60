"""Saves the rows that a configuration file describes, and reports what changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from django.db.models import Model

from backoffice.kit import references
from syncer.configure.rows import Plan, columns_of
from syncer.models import Route, Target
from syncer.reports.forecast import forecast
from syncer.reports.unanswered import unanswered


@dataclass(frozen=True, kw_only=True)
class Change:
    """The outcome for one target or, where `route` names a model, for one route."""

    target: str
    route: str | None
    outcome: Literal["created", "changed", "disabled", "unchanged"]
    columns: Mapping[str, tuple[object, object]]  # {"path": ("before", "after")}; before is None for a new row
    effects: str = ""  # what the next sync will do because of the change, as a sentence; empty where it does nothing


@dataclass(frozen=True)
class Report:
    """The effects of a file, or with `check` those it would have; `notes` name what a person has to know."""

    changes: list[Change]
    notes: list[str]


def apply(plans: Sequence[Plan], *, check: bool) -> Report:
    """Save the rows that differ, each target before its routes; with `check`, only report them."""
    changes, notes = [], []
    for plan in plans:
        changes.append(_save(plan.target, check=check))
        for route in plan.routes:
            route.target = plan.target  # it has its key by now
            effects = forecast(route, beside=plan.routes)  # before it is saved
            change = _save(route, check=check)
            changes.append(replace(change, effects=f"The next sync will {effects}.") if effects else change)
            if why := unanswered(route, change.columns):
                notes.append(f"{plan.target.name} {route.model}: {why}")
        for route in plan.left_out:
            if route.enabled:
                route.enabled = False
                changes.append(replace(_save(route, check=check), outcome="disabled"))
    return Report(changes, [*notes, *(note for plan in plans for note in _notes(plan.target))])


def _save(row: Target | Route, *, check: bool) -> Change:
    """Save the columns of a row that differ from the stored ones, and return the difference."""
    target, route = (row.name, None) if isinstance(row, Target) else (row.target.name, row.model)
    stored = type(row).objects.filter(pk=row.pk).first() if row.pk else None
    columns: dict[str, tuple[object, object]] = {}
    for name in columns_of(row):
        values = getattr(stored, name, None), getattr(row, name)
        before, after = (str(value) if isinstance(value, Model) else value for value in values)  # an account's name
        if before != after:
            columns[name] = before, after
    if columns and not check:
        row.save(update_fields=list(columns) if stored else None)
    outcome: Literal["created", "changed", "unchanged"]
    outcome = "created" if not stored else "changed" if columns else "unchanged"
    return Change(target=target, route=route, outcome=outcome, columns=columns)


def _notes(target: Target) -> Iterator[str]:
    """Yield a note if the target's secret can't be read yet."""
    try:
        if target.auth_secret:
            references.resolve(target.auth_secret)
    except references.UnresolvedError as error:
        yield f"{target.name}: the secret {target.auth_secret} is not there yet. {error}"
