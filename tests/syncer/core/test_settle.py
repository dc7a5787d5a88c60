from datetime import UTC, datetime, timedelta

import pytest

from syncer.core import settle
from syncer.core.answers import Outcome, Verdict
from syncer.core.decide import Action

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLAIM = settle.Claim(wanted=7, tries=2)
AGAIN = settle.Claim(wanted=7, was=True, tries=2)
SENT = {"title": "A"}
DONE = Verdict(outcome=Outcome.DONE)


def test_a_create_that_is_done_binds_the_record():
    verdict = Verdict(outcome=Outcome.DONE, record={"id": 5, "title": "trimmed"})
    changes = settle.delivered(CLAIM, Action.CREATE, sent=SENT, verdict=verdict)
    assert changes["remote_id"] == changes["last_remote_id"] == "5"
    assert changes["agreed"] == SENT, "what was sent, not what came back"
    assert (changes["delivered"], changes["unsettled"], changes["create_key"], changes["tries"]) == (7, False, None, 0)


def test_an_update_that_is_done_agrees_on_what_was_sent():
    changes = settle.delivered(CLAIM, Action.UPDATE, sent=SENT, verdict=DONE)
    assert (changes["agreed"], changes["delivered"], changes["parked"]) == (SENT, 7, None)


def test_a_delete_that_is_done_forgets_the_record():
    changes = settle.delivered(AGAIN, Action.DELETE, sent=None, verdict=DONE)
    assert (changes["remote_id"], changes["agreed"], changes["delivered"], changes["unsettled"]) == (
        None,
        None,
        7,
        False,
    )
    assert "last_remote_id" not in changes


def test_nothing_needed_counts_as_delivered_and_leaves_the_record():
    changes = settle.delivered(CLAIM, Action.NOTHING, sent=None, verdict=DONE)
    assert (changes["delivered"], changes["unsettled"]) == (7, False)
    assert not {"agreed", "remote_id"} & changes.keys()


@pytest.mark.parametrize("claim", [CLAIM, AGAIN])
def test_what_was_not_sent_leaves_everything_as_it_was(claim):
    assert settle.not_sent(claim, Action.UPDATE) == {"unsettled": claim.was}
    assert settle.not_sent(claim, Action.LOOKUP) == {"unsettled": claim.was}


def test_a_create_that_was_not_sent_forgets_its_key():
    assert settle.not_sent(CLAIM, Action.CREATE) == {"unsettled": False, "create_key": None, "create_body": None}


def refused(action, outcome, claim=CLAIM):
    return settle.refused(claim, action, Verdict(outcome=outcome, why="says no"), now=NOW, jitter=0.5)


@pytest.mark.parametrize("claim", [CLAIM, AGAIN])
def test_a_permanent_refusal_parks_the_claimed_version(claim):
    changes = refused(Action.UPDATE, Outcome.PERMANENT, claim)
    assert (changes["parked"], changes["unsettled"], changes["reason"]) == (7, claim.was, "says no")
    assert "delivered" not in changes


def test_a_refused_create_clears_its_key_and_a_refused_lookup_does_not():
    assert refused(Action.CREATE, Outcome.PERMANENT)["create_key"] is None
    assert "create_key" not in refused(Action.LOOKUP, Outcome.PERMANENT, AGAIN)


def test_a_retryable_refusal_waits_longer_each_time():
    changes = refused(Action.UPDATE, Outcome.RETRYABLE)
    assert changes["tries"] == 3
    assert changes["not_before"] == NOW + timedelta(seconds=4)  # half of 2 ** 3


def test_a_wrong_setting_costs_the_object_nothing():
    assert not {"tries", "not_before", "parked"} & refused(Action.UPDATE, Outcome.CONFIGURATION).keys()


@pytest.mark.parametrize(("request_seconds", "wait"), [(1.0, 4), (20.0, 20)])
def test_an_unknown_outcome_waits_at_least_until_a_straggler_has_died(request_seconds, wait):
    verdict = Verdict(outcome=Outcome.UNKNOWN, why="was lost")
    changes = settle.unknown(CLAIM, verdict, now=NOW, jitter=0.5, request_seconds=request_seconds)
    assert changes["unsettled"] is True
    assert changes["not_before"] == NOW + timedelta(seconds=wait)
    assert not {"delivered", "agreed", "create_key"} & changes.keys()


def test_what_is_gone_is_made_anew():
    changes = settle.gone("answered 404")
    assert (changes["remote_id"], changes["agreed"], changes["unsettled"]) == (None, None, False)
    assert "delivered" not in changes


def test_a_create_that_was_found_is_bound_but_what_it_holds_is_not_known():
    changes = settle.looked_up(AGAIN, ["5"])
    assert (changes["remote_id"], changes["agreed"], changes["create_key"]) == ("5", None, None)
    assert "delivered" not in changes


def test_a_create_that_was_not_found_may_be_sent_again():
    changes = settle.looked_up(AGAIN, [])
    assert (changes["create_key"], changes["unsettled"]) == (None, False)
    assert not {"delivered", "remote_id"} & changes.keys()


def test_several_candidates_are_left_to_a_person():
    changes = settle.looked_up(AGAIN, ["5", "6"])
    assert (changes["in_doubt"], changes["unsettled"]) == (True, True)
    assert "create_key" not in changes


def test_an_id_that_is_taken_parks_the_create():
    changes = settle.taken_id(CLAIM, "101")
    assert (changes["parked"], changes["create_key"], changes["unsettled"]) == (7, None, False)
