"""The database finds by SQL exactly the bindings that `core/state.py` says: every combination of facts, both ways."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.db.models import Q
from django.utils import timezone

from syncer.core.state import (
    BACKLOG,
    QUESTIONS,
    STATES,
    Question,
    State,
    facts_of,
    holds,
    is_claimable,
    question_of,
    state_of,
)
from syncer.models import Binding, Route, Target
from syncer.models.binding import ASKED, FACTS, claimed, holding, where
from syncer.models.routemap import claimable

NOW = timezone.now()
EARLIER, LATER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
COLUMNS: dict[str, tuple[Any, ...]] = {
    "delivered": (1, 2),
    "unconfirmed": (False, True),
    "on_hold": (False, True),
    "in_doubt": (False, True),
    "rejected": (None, 1, 2),
    "lease_until": (None, EARLIER, LATER),
    "not_before": (None, LATER),
    "tries": (0, 1),
    "remote_id": (None, "record"),
    "create_body": (None, {}),
    "look_first": (False, True),
    "gone": (False, True),
}
# What other rows tell stands in the key here.
ELSEWHERE = {"changed": Q(object_key__startswith="changed"), "conflict": Q(object_key__endswith="conflict")}
KEYS = [f"{one} {number} {two}" for one in ("changed", "same") for two in ("conflict", "agreed") for number in ("{}",)]


@pytest.fixture(scope="module")
def bindings(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        target = Target.objects.create(name="states", url="http://127.0.0.1:9")
        route = Route.objects.create(target=target, model="news.Post", path="/posts", fields={"title": "title"})
        rows = []
        for number, values in enumerate(product(*COLUMNS.values())):
            row = Binding(route=route, wanted=2, token=0, **dict(zip(COLUMNS, values, strict=True)))
            row.object_key = KEYS[number % len(KEYS)].format(number)
            row.remote_id = row.remote_id and f'"{number}"'
            rows.append(row)
        Binding.objects.bulk_create(rows, batch_size=500)
        yield {row.object_key: row for row in Binding.objects.filter(route=route)}
        target.delete()


def facts(row: Binding):
    key = row.object_key
    return facts_of(row, NOW, changed=key.startswith("changed"), conflict=key.endswith("conflict"))


def found(condition: Q) -> set[str]:
    return set(Binding.objects.filter(condition, route__target__name="states").values_list("object_key", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize("state", State)
def test_a_state_is_the_same_in_both(bindings, state):
    known = {**FACTS, "claimed": claimed(NOW), **ELSEWHERE}
    expected = {key for key, row in bindings.items() if state_of(facts(row)) is state}
    assert expected
    assert found(where(STATES, state, known)) == expected


@pytest.mark.django_db
@pytest.mark.parametrize("question", Question)
def test_a_question_is_the_same_in_both(bindings, question):
    expected = {key for key, row in bindings.items() if question_of(facts(row)) is question}
    assert expected
    assert found(where(QUESTIONS, question, FACTS)) == expected
    assert expected <= found(ASKED)


@pytest.mark.django_db
@pytest.mark.parametrize("name", FACTS)
def test_a_fact_is_the_same_in_both(bindings, name):
    for value in (False, True):
        expected = {key for key, row in bindings.items() if getattr(facts(row), name) is value}
        assert found(holding({name: value})) == expected


@pytest.mark.django_db
def test_what_can_be_claimed_is_the_same_in_both(bindings):
    expected = {key for key, row in bindings.items() if is_claimable(row, NOW)}
    assert expected
    assert found(claimable(NOW)) == expected
    assert found(ASKED) == {key for key, row in bindings.items() if question_of(facts(row))}


@pytest.mark.django_db
def test_the_part_of_the_backlog_is_the_same_in_both(bindings):
    for row in bindings.values():
        parts = (part for part, condition in BACKLOG if holds(facts(row), condition))
        assert row.backlog == next(parts, None)
