"""Every combination of facts has one state, and the words for some of them."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from itertools import product
from types import SimpleNamespace

import pytest

from syncer.core.state import Facts, Health, Question, State, health_of, health_with, question_of, state_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = [field.name for field in fields(Facts)]


def test_every_combination_of_facts_has_a_state():
    for values in product((False, True), repeat=len(NAMES)):
        assert state_of(Facts(**dict(zip(NAMES, values, strict=True)))) in State


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"bound": True}, State.IN_SYNC),
        ({}, State.NOT_SYNCED),
        ({"bound": True, "changed": True}, State.PENDING),
        ({"due": True}, State.PENDING),
        ({"due": True, "claimed": True, "failed": True}, State.SENDING),
        ({"due": True, "failed": True}, State.RETRYING),
        ({"due": True, "rejected": True, "claimed": True}, State.REJECTED),
        ({"due": True, "rejected": True, "changed": True}, State.PENDING),
        ({"due": True, "failed": True, "changed": True}, State.RETRYING),
        ({"due": True, "in_doubt": True, "rejected": True}, State.IN_DOUBT),
        ({"in_doubt": True, "conflict": True}, State.CONFLICT),
        ({"on_hold": True, "conflict": True, "in_doubt": True}, State.ON_HOLD),
    ],
)
def test_the_word_for_what_is_known(facts, state):
    assert state_of(Facts(**facts)) is state


@pytest.mark.parametrize(
    ("facts", "question"),
    [
        ({}, None),
        ({"unanswered": True}, None),
        ({"gone": True, "look_first": True}, None),
        ({"in_doubt": True, "unanswered": True}, Question.CREATE),
        ({"in_doubt": True}, Question.UNSEEN),
        ({"rejected": True}, None),
        ({"rejected": True, "unanswered": True, "gone": True}, Question.CREATE),
        ({"rejected": True, "look_first": True}, Question.UNSEEN),
        ({"rejected": True, "look_first": True, "bound": True}, None),
        ({"rejected": True, "gone": True, "bound": True}, Question.GONE),
    ],
)
def test_what_a_person_is_asked(facts, question):
    assert question_of(Facts(**facts)) is question


@pytest.mark.parametrize(
    ("columns", "health"),
    [
        ({}, Health.HEALTHY),
        ({"not_before": NOW}, Health.HEALTHY),
        ({"not_before": NOW + timedelta(seconds=1)}, Health.RATE_LIMITED),
        ({"not_before": NOW + timedelta(seconds=1), "opened_at": NOW}, Health.UNREACHABLE),
        ({"opened_at": NOW, "blocked": "answered 401"}, Health.BLOCKED),
        ({"blocked": "answered 401", "enabled": False}, Health.PAUSED),
    ],
)
def test_the_health_of_a_target(columns, health):
    row = {"enabled": True, "blocked": "", "opened_at": None, "not_before": None} | columns
    assert health_of(SimpleNamespace(**row), NOW) is health


@pytest.mark.parametrize(
    ("facts", "health"),
    [
        ({}, Health.HEALTHY),
        ({"needs_person": True}, Health.NEEDS_PERSON),
        ({"needs_person": True, "has_worker": False}, Health.NEEDS_PERSON),
        ({"has_worker": False, "is_contacted": False}, Health.NO_WORKER),
        ({"is_contacted": False}, Health.NOT_CONTACTED),
    ],
)
def test_a_healthy_target_leaves_nothing_to_wish(facts, health):
    known = {"needs_person": False, "has_worker": True, "is_contacted": True} | facts
    assert health_with(Health.HEALTHY, **known) is health
    assert health_with(Health.PAUSED, **known) is Health.PAUSED
