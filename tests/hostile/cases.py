"""Tables of inputs: what each must come to, how many there are, and what every test checks."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client

from tests.content.doors import content_models

REFUSED, KEPT, HARMLESS, HIDDEN = "refused, with the cure", "kept exactly as sent", "ignored", "answered as not there"
OUTCOMES = (REFUSED, HIDDEN, KEPT, HARMLESS)
COUNTS: Counter[tuple[str, str]] = Counter()  # by entry point and outcome
# What says that somebody was here, and the empty rows that peers' objects are locked by.
NO_CONTENT = {
    "kit_sessions_session", "audit_entry", "content_import", "jobs_job", "sign_in_failures", "sign_in_knownaddress",
    "syncer_replica",
}  # fmt: skip


class Case(Protocol):
    @property
    def outcome(self) -> str: ...


def table(entry: str, cases: Mapping[str, Case]) -> list[Any]:
    """Return the cases as parameters, counted as inputs of the entry point."""
    found = []
    for name, case in cases.items():
        COUNTS[entry, case.outcome] += 1
        marks = pytest.mark.hostile(entry, case.outcome, 1)
        found.append(pytest.param(case, id=f"{entry}: {name}", marks=marks))
    return found


def counted(entry: str, outcome: str, inputs: int = 1, *, tests: int = 1) -> pytest.MarkDecorator:
    """Return the mark of a test that has no table, but so many inputs at once, or so many parameters."""
    COUNTS[entry, outcome] += inputs * tests
    return pytest.mark.hostile(entry, outcome, inputs)


def rows() -> dict[str, int]:
    """Count the rows of every table that holds content, its history, or what belongs to people."""
    names = sorted({model._meta.db_table for model in apps.get_models() if model._meta.managed} - NO_CONTENT)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in names))
        return dict(cursor.fetchall())


def stored() -> list[Any]:
    """Return all content as it is stored."""
    return [list(model.objects.order_by("pk").values()) for model in content_models()]


@contextmanager
def nothing_written() -> Iterator[None]:
    """Nothing of it may be written, and others must be answered after."""
    counted, content = rows(), stored()
    yield
    changed = rows().items() - counted.items()
    assert not changed, changed
    assert stored() == content
    others_are_answered()


def others_are_answered() -> None:
    assert Client().get("/health/ready/").status_code == 200
