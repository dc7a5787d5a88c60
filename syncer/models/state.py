"""The facts and tables of `core/state.py` as conditions on a queryset of bindings."""

from collections.abc import Mapping
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TypeVar

from django.db.models import F, Q

from backoffice.kit.lease import is_free
from syncer.core.state import NOT_BLOCKED, QUESTIONS, Table
from syncer.models.binding import DUE

T = TypeVar("T")

FACTS: Mapping[str, Q] = {
    "due": DUE,
    "on_hold": Q(on_hold=True),
    "in_doubt": Q(in_doubt=True),
    "rejected": Q(rejected__gte=F("wanted")),
    "failed": Q(tries__gt=0),
    "bound": Q(remote_id__isnull=False),
    "unanswered": Q(create_body__isnull=False),
    "look_first": Q(look_first=True),
    "gone": Q(gone=True),
}


def holding(facts: Mapping[str, bool], known: Mapping[str, Q] = FACTS) -> Q:
    """Return the condition for bindings with these facts.

    Args:
        facts: `{"fact": whether it holds}`.
        known: the condition of every fact that `facts` names.
    """
    condition = Q()
    for name, value in facts.items():
        condition &= known[name] if value else ~known[name]
    return condition


UNBLOCKED = holding(NOT_BLOCKED)
ASKED = reduce(or_, (holding(facts) for _, facts in QUESTIONS))


def claimed(now: datetime) -> Q:
    """Return the condition for bindings that a worker holds now."""
    return Q(lease_until__gt=now)


def claimable(now: datetime) -> Q:
    """Return the condition for bindings that `core.state.is_claimable` accepts."""
    return DUE & UNBLOCKED & is_free(now) & (Q(not_before=None) | Q(not_before__lte=now))


def where(table: Table[T], value: T, known: Mapping[str, Q]) -> Q:
    """Return the condition for bindings whose first fitting row of the table has this value.

    Args:
        known: the condition of every fact that the table names.
    """
    result = Q(pk__in=[])
    for number, (row_value, facts) in enumerate(table):
        if row_value == value:
            condition = holding(facts, known)
            for _, earlier in table[:number]:
                if all(facts.get(fact, holds) == holds for fact, holds in earlier.items()):  # else it can't fit too
                    condition &= ~holding({fact: holds for fact, holds in earlier.items() if fact not in facts}, known)
            result |= condition
    return result
