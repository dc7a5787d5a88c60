"""The facts and tables of `core/state.py` as conditions on a queryset of bindings."""

from collections.abc import Mapping
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TypeVar

from django.db.models import F, Q

from backoffice.kit.lease import is_free
from syncer.core.state import NOT_BLOCKED, QUESTIONS, Table

T = TypeVar("T")

DUE = Q(wanted__gt=F("delivered")) | Q(unconfirmed=True)
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
    """Bindings of which the facts are so."""
    found = Q()
    for name, value in facts.items():
        found &= known[name] if value else ~known[name]
    return found


UNBLOCKED = holding(NOT_BLOCKED)
ASKED = reduce(or_, (holding(facts) for _, facts in QUESTIONS))


def claimed(now: datetime) -> Q:
    """Bindings that a worker has now."""
    return Q(lease_until__gt=now)


def claimable(now: datetime) -> Q:
    """As `core.state.is_claimable`."""
    return DUE & UNBLOCKED & is_free(now) & (Q(not_before=None) | Q(not_before__lte=now))


def where(table: Table[T], what: T, known: Mapping[str, Q]) -> Q:
    """Bindings for which `what` is the first row of the table that fits.

    Args:
        known: the condition of every fact that the table names.
    """
    found = Q(pk__in=[])
    for number, (name, facts) in enumerate(table):
        if name == what:
            condition = holding(facts, known)
            for _, earlier in table[:number]:
                if all(facts.get(fact, value) == value for fact, value in earlier.items()):  # else it can't fit too
                    condition &= ~holding({fact: value for fact, value in earlier.items() if fact not in facts}, known)
            found |= condition
    return found
