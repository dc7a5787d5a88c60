"""From a binding's row to one delivery, and what is committed before it leaves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from syncer.core.decide import (
    Action,
    Claim,
    ClaimedBinding,
    Delivery,
    Known,
    Sought,
    Terms,
    Wanted,
    can_replay,
    claimed,
    committed_first,
    delivery_of,
    update_body,
)
from syncer.core.settle import NO_CREATE, decided
from syncer.core.state import is_claimable
from tests.simulator.rows import Row

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = uuid4()
PATH = "/posts"
TERMS = Terms(path=PATH, lookup=("title",), fields={"title": "title", "body": "body"})


# With an unanswered create.
ROW = Row(
    pk=7,
    wanted=3,
    delivered=2,
    unconfirmed=True,
    token=4,
    tries=1,
    last_remote_id="9",
    create_key=KEY,
    create_body={"title": "A", "body": "B"},
    create_at=NOW - timedelta(hours=1),
    create_path="/posts/new",
    create_account="account",
)


def hold(*, key_hours: float = 24, **changed: Any) -> ClaimedBinding:
    row = replace(ROW, **changed)
    return claimed(row, "1", deletes=True, ends=60.0, now=NOW, key_hours=key_hours, account="account")


def test_a_claim_holds_what_the_row_was_before_it():
    held = hold()
    assert (held.pk, held.key, held.token, held.ends, held.last_remote_id) == (7, "1", 5, 60.0, "9")
    assert held.claim == Claim(wanted=3, was=True, tries=1, at=NOW)
    assert held.known == Known(
        create_body={"title": "A", "body": "B"}, unconfirmed=True, create_at=NOW - timedelta(hours=1)
    )
    assert (held.create_key, held.create_path, held.can_replay, held.peer_seen) == (KEY, "/posts/new", True, {})


@pytest.mark.parametrize(
    ("changed", "key_hours", "account"),
    [
        ({"create_key": None}, 24, "account"),
        ({"create_at": None}, 24, "account"),
        ({"rejected": 3}, 24, "account"),
        ({}, 24, "another account"),
        ({}, 1, "account"),  # a tenth of the time is not used
        ({}, 0, "account"),
    ],
)
def test_a_create_is_sent_again_only_under_a_key_that_the_target_remembers(changed, key_hours, account):
    assert can_replay(ROW, NOW, key_hours=24, account="account")
    assert not can_replay(replace(ROW, **changed), NOW, key_hours=key_hours, account=account)


@pytest.mark.parametrize(
    ("changed", "can_be_claimed"),
    [
        ({}, True),
        ({"unconfirmed": False}, True),
        ({"unconfirmed": False, "delivered": 3}, False),
        ({"on_hold": True}, False),
        ({"in_doubt": True}, False),
        ({"rejected": 3}, False),
        ({"rejected": 2}, True),
        ({"lease_until": NOW + timedelta(seconds=1)}, False),
        ({"lease_until": NOW}, True),
        ({"not_before": NOW + timedelta(seconds=1)}, False),
        ({"not_before": NOW}, True),
    ],
)
def test_what_a_worker_may_claim(changed, can_be_claimed):
    assert is_claimable(replace(ROW, **changed), NOW) is can_be_claimed


def test_an_object_that_can_not_be_written_is_rejected_once_no_create_is_unanswered():
    faulty = Wanted(payload={}, fault="is not a number")
    delivery = delivery_of(hold(create_body=None, create_key=None), faulty, TERMS)
    assert (delivery.action, delivery.fault) == (Action.REJECT, "is not a number")
    assert delivery_of(hold(), faulty, TERMS).action is Action.REPLAY


def test_an_object_waits_for_the_id_of_its_parent():
    delivery = delivery_of(hold(), Wanted(payload={}, waits=True), TERMS)
    assert delivery.action is Action.WAIT


@pytest.mark.parametrize(
    ("create_path", "wanted", "path"),
    [("/posts/new", None, "/posts/new"), ("", Wanted(payload={}, create_path="/now"), "/now"), ("", None, PATH)],
)
def test_a_replay_repeats_the_create_where_it_was_sent(create_path, wanted, path):
    delivery = delivery_of(hold(create_path=create_path), wanted, TERMS)
    assert (delivery.action, delivery.key, delivery.create_path) == (Action.REPLAY, KEY, path)
    assert delivery.sent == {"title": "A", "body": "B"}


def test_a_look_up_goes_by_all_that_the_create_sent():
    delivery = delivery_of(hold(key_hours=0), Wanted(payload={"title": "C"}), TERMS)
    assert delivery.action is Action.LOOKUP
    assert delivery.sought == Sought(body={"title": "A", "body": "B"}, lookup=("title",), path=PATH)


def test_a_create_is_looked_up_by_what_it_was_sent_as_even_if_the_route_was_changed_since():
    then = {"path": "/old", "lookup": ["title"], "fields": {"title": "title", "body": "body"}}
    today = Terms(path=PATH, lookup=("name",), fields={"name": "title", "text": "body"})
    sought = delivery_of(hold(key_hours=0, create_as=then), Wanted(payload={"name": "C"}), today).sought
    assert sought == Sought(
        body={"title": "A", "body": "B"},
        lookup=("title",),
        path="/old",
        renamed={"title": "name", "body": "text"},
    )


def test_a_create_that_was_accepted_is_looked_up_once_its_answer_can_not_be_repeated():
    wanted = Wanted(payload={"title": "C"})
    assert delivery_of(hold(made=True), wanted, TERMS).action is Action.REPLAY
    assert delivery_of(hold(made=True, create_key=None), wanted, TERMS).action is Action.LOOKUP


def test_only_what_was_claimed_as_a_delete_is_deleted():
    bound = hold(create_body=None, create_key=None, remote_id="5")
    assert delivery_of(replace(bound, deletes=False), None, TERMS).action is Action.WAIT
    assert delivery_of(replace(bound, deletes=True), None, TERMS).action is Action.DELETE


def test_a_record_that_is_not_known_is_looked_up_by_all_that_it_is_to_hold_or_once_held():
    held = hold(create_body=None, create_key=None, look_first=True, agreed={"title": "A", "body": "B"})
    wanted = Wanted(payload={"title": "C", "body": "D"})
    assert delivery_of(held, wanted, TERMS).sought == Sought(
        body={"title": "C", "body": "D"}, lookup=("title",), path=PATH, before={"title": "A", "body": "B"}
    )


def test_a_create_has_a_new_key_and_is_written_before_it_leaves():
    held = hold(create_body=None, create_key=None)
    wanted = Wanted(payload={"title": "C"}, create_path="/posts/new", parent=2)
    delivery = delivery_of(held, wanted, TERMS)
    assert delivery.action is Action.CREATE
    assert committed_first(delivery, TERMS, NOW) == {
        "create_key": delivery.key,
        "create_body": {"title": "C"},
        "create_at": NOW,
        "create_path": "/posts/new",
        "create_account": "account",
        "create_as": {"path": PATH, "lookup": ["title"], "fields": {"title": "title", "body": "body"}},
        "made": False,
        "parent_id": 2,
        "rejected": None,
    }
    assert delivery.key != delivery_of(held, wanted, TERMS).key


@pytest.mark.parametrize(
    ("action", "first"), [(Action.DELETE, {"deleting": True}), (Action.UPDATE, {}), (Action.REPLAY, {})]
)
def test_only_creates_and_deletes_are_written_before_they_leave(action, first):
    assert committed_first(Delivery(binding=hold(), action=action), TERMS, NOW) == first


@pytest.mark.parametrize(
    ("known", "patch", "body"),
    [
        (Known(agreed={"a": 1, "b": 2}), False, {"a": 1, "b": 3}),
        (Known(agreed={"a": 1, "b": 2}), True, {"b": 3}),
        (Known(agreed={"a": 1, "b": 2}, unconfirmed=True), True, {"a": 1, "b": 3}),
    ],
)
def test_a_patch_carries_what_differs_unless_nobody_knows_what_is_there(known, patch, body):
    assert update_body(known, {"a": 1, "b": 3}, patch=patch) == body


@pytest.mark.parametrize("remote_id", [None, "5"])
def test_what_a_person_decides_ends_all_doubt(remote_id):
    changes = decided(remote_id)
    assert changes.items() >= {"remote_id": remote_id, "agreed": None, "in_doubt": False, "rejected": None}.items()
    assert changes.items() >= NO_CREATE.items()
    assert ("last_remote_id" in changes) is (remote_id is not None)
