"""What the end of a push writes to its binding."""

from datetime import UTC, datetime, timedelta

import pytest

from syncer.core.decide import Claim
from syncer.core.outcome import Outcome, Verdict
from syncer.core.push import changes_after_push, record

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLAIM = Claim(wanted=7, was=True, tries=2)


def after(outcome, why="", known=None):
    verdict = Verdict(outcome=outcome, why=why)
    return changes_after_push(CLAIM, verdict, {"store:1": 3}, known or {}, now=NOW, jitter=1.0)


def test_what_arrived_is_delivered_and_seen():
    changes = after(Outcome.DONE)
    assert (changes["delivered"], changes["unconfirmed"], changes["tries"]) == (7, False, 0)
    assert changes["peer_seen"] == {"store:1": 3}


def test_a_late_answer_takes_nothing_back():
    assert after(Outcome.DONE, known={"store:1": 4, "warehouse:1": 2})["peer_seen"] == {"store:1": 4, "warehouse:1": 2}


def test_a_refusal_rejects_the_version_that_was_claimed():
    changes = after(Outcome.PERMANENT, "answered refused: quantity: Too many.")
    assert (changes["rejected"], changes["unconfirmed"]) == (7, False)
    assert changes["reason"] == "answered refused: quantity: Too many."
    assert "delivered" not in changes
    assert "peer_seen" not in changes


@pytest.mark.parametrize("outcome", [Outcome.RETRYABLE, Outcome.UNKNOWN, Outcome.GONE])
def test_what_may_not_have_arrived_is_sent_again_and_no_straggler_is_waited_for(outcome):
    changes = after(outcome, "sent an answer that is not JSON")
    assert (changes["tries"], changes["unconfirmed"]) == (3, False)
    assert changes["not_before"] == NOW + timedelta(seconds=8)
    assert "delivered" not in changes


def test_a_wrong_setting_burns_no_try():
    changes = after(Outcome.CONFIGURATION, "answered 403")
    assert changes == {"unconfirmed": False, "deleting": False, "reason": "answered 403"}


@pytest.mark.parametrize("is_there", [True, False])
def test_the_record_has_our_own_key_and_keeps_it_when_it_is_gone(is_there):
    permission = {"delete_allowed": False} if is_there else {}
    remote_id = '"k"' if is_there else None
    assert record("k", is_there=is_there) == {"remote_id": remote_id, "last_remote_id": '"k"'} | permission
