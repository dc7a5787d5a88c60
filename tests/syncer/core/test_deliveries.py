"""From a binding's row to one delivery, and what is committed before it leaves."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from syncer.core.decide import (
    Action,
    Claim,
    ClaimedBinding,
    Delivery,
    Known,
    Wanted,
    can_replay,
    claimed,
    committed_first,
    delivery_of,
    update_body,
)
from syncer.core.settle import NO_CREATE, decided
from syncer.core.state import is_claimable

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = uuid4()
LOOKUP = ("title",)
PATH = "/posts"


@dataclass
class Row:
    """A binding's row with an unanswered create."""

    pk: int = 7
    wanted: int = 3
    delivered: int = 2
    unconfirmed: bool = True
    in_doubt: bool = False
    rejected: int | None = None
    on_hold: bool = False
    token: int = 4
    lease_until: datetime | None = None
    not_before: datetime | None = None
    tries: int = 1
    remote_id: str | None = None
    last_remote_id: str | None = "9"
    agreed: dict[str, Any] | None = None
    create_key: UUID | None = KEY
    create_body: dict[str, Any] | None = field(default_factory=lambda: {"title": "A", "body": "B"})
    create_at: datetime | None = NOW - timedelta(hours=1)
    create_path: str = "/posts/new"
    create_account: str = "account"
    deleting: bool = False
    look_first: bool = False
    gone: bool = False
    peer_seen: Mapping[str, int] | None = None


def hold(row: Row, *, key_hours: float = 24, account: str = "account") -> ClaimedBinding:
    return claimed(row, "1", ends=60.0, now=NOW, key_hours=key_hours, account=account)


def test_a_claim_holds_what_the_row_was_before_it():
    held = hold(Row())
    assert (held.pk, held.key, held.token, held.ends, held.last_remote_id) == (7, "1", 5, 60.0, "9")
    assert held.claim == Claim(wanted=3, was=True, tries=1)
    assert held.known == Known(create_body={"title": "A", "body": "B"}, unconfirmed=True)
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
    assert can_replay(Row(), NOW, key_hours=24, account="account")
    assert not can_replay(replace(Row(), **changed), NOW, key_hours=key_hours, account=account)


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
    assert is_claimable(replace(Row(), **changed), NOW) is can_be_claimed


def test_an_object_waits_for_the_id_of_its_parent():
    delivery = delivery_of(hold(Row()), Wanted(payload={}, waits=True), lookup=LOOKUP, path=PATH)
    assert delivery.action is Action.WAIT


@pytest.mark.parametrize(
    ("create_path", "wanted", "path"),
    [("/posts/new", None, "/posts/new"), ("", Wanted(payload={}, create_path="/now"), "/now"), ("", None, PATH)],
)
def test_a_replay_repeats_the_create_where_it_was_sent(create_path, wanted, path):
    delivery = delivery_of(hold(Row(create_path=create_path)), wanted, lookup=LOOKUP, path=PATH)
    assert (delivery.action, delivery.key, delivery.create_path) == (Action.REPLAY, KEY, path)
    assert delivery.sent == {"title": "A", "body": "B"}


def test_a_look_up_goes_by_all_that_the_create_sent():
    delivery = delivery_of(hold(Row(), key_hours=0), Wanted(payload={"title": "C"}), lookup=LOOKUP, path=PATH)
    assert (delivery.action, delivery.like) == (Action.LOOKUP, {"title": "A", "body": "B"})


def test_a_record_that_is_not_known_is_looked_for_by_the_lookup_alone():
    row = Row(create_body=None, create_key=None, look_first=True)
    wanted = Wanted(payload={"title": "C", "body": "D"})
    assert delivery_of(hold(row), wanted, lookup=LOOKUP, path=PATH).like == {"title": "C"}


def test_a_create_has_a_new_key_and_is_written_before_it_leaves():
    row = Row(create_body=None, create_key=None)
    wanted = Wanted(payload={"title": "C"}, create_path="/posts/new", parent=2)
    delivery = delivery_of(hold(row), wanted, lookup=LOOKUP, path=PATH)
    assert (delivery.action, delivery.like) == (Action.CREATE, None)
    assert committed_first(delivery, NOW) == {
        "create_key": delivery.key,
        "create_body": {"title": "C"},
        "create_at": NOW,
        "create_path": "/posts/new",
        "create_account": "account",
        "parent_id": 2,
        "rejected": None,
    }
    assert delivery.key != delivery_of(hold(row), wanted, lookup=LOOKUP, path=PATH).key


@pytest.mark.parametrize(
    ("action", "first"), [(Action.DELETE, {"deleting": True}), (Action.UPDATE, {}), (Action.REPLAY, {})]
)
def test_only_creates_and_deletes_are_written_before_they_leave(action, first):
    assert committed_first(Delivery(binding=hold(Row()), action=action), NOW) == first


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
    assert (changes["remote_id"], changes["agreed"], changes["in_doubt"], changes["rejected"]) == (
        remote_id,
        None,
        False,
        None,
    )
    assert changes.items() >= NO_CREATE.items()
    assert ("last_remote_id" in changes) is (remote_id is not None)
