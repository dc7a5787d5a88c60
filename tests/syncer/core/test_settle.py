from datetime import UTC, datetime, timedelta

import pytest

from backoffice.kit.phrases import TEXT_MOST
from syncer.core import settle
from syncer.core.decide import Action, Claim, Known
from syncer.core.likeness import Candidate
from syncer.core.outcome import DISPUTED, UNREAD, Outcome, Verdict
from syncer.core.settle import End, Rules, changes_after

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLAIMED = NOW - timedelta(seconds=1)
CLAIM = Claim(wanted=7, tries=2, at=CLAIMED)
AGAIN = Claim(wanted=7, was=True, tries=2, at=CLAIMED)
SENT = {"title": "A"}
BOUND = Known(remote_id="5", agreed={"title": "old"})
UNANSWERED = Known(create_body=SENT, unconfirmed=True)


def after(action, outcome, claim=CLAIM, *, known=BOUND, sent=SENT, remote_id=None, candidates=(), rules=None):
    verdict = None if outcome is None else Verdict(outcome=outcome, why="says no", remote_id=remote_id)
    end = End(action=action, known=known, sent=sent, verdict=verdict, candidates=candidates)
    return changes_after(claim, end, rules or Rules(), now=NOW, jitter=0.5)


def equal(remote_id):
    return Candidate(remote_id=remote_id, is_equal=True)


def alike(remote_id):
    return Candidate(remote_id=remote_id, is_equal=False, shown={"title": "a"})


def test_a_create_that_is_done_binds_the_record():
    changes = after(Action.CREATE, Outcome.DONE, known=Known(), remote_id="5")
    assert changes["remote_id"] == changes["last_remote_id"] == "5"
    assert changes["agreed"] == SENT, "what was sent, not what came back"
    assert changes.items() >= {"delivered": 7, "unconfirmed": False, "create_key": None, "tries": 0}.items()


def test_a_replayed_create_binds_the_record_and_is_compared_again():
    changes = after(Action.REPLAY, Outcome.DONE, AGAIN, known=UNANSWERED, remote_id="5")
    assert (changes["remote_id"], changes["agreed"], changes["create_key"]) == ("5", SENT, None)
    assert changes["unconfirmed"] is False
    assert "delivered" not in changes


def test_an_update_that_is_done_agrees_on_what_was_sent():
    changes = after(Action.UPDATE, Outcome.DONE)
    assert (changes["agreed"], changes["delivered"], changes["rejected"]) == (SENT, 7, None)


def test_a_delete_that_is_done_forgets_the_record():
    changes = after(Action.DELETE, Outcome.DONE, AGAIN, sent=None)
    assert (changes["remote_id"], changes["agreed"], changes["delivered"]) == (None, None, 7)
    assert (changes["unconfirmed"], changes["deleting"]) == (False, False)
    assert "last_remote_id" not in changes


def test_nothing_needed_counts_as_delivered_and_leaves_the_record():
    changes = after(Action.NOTHING, None)
    assert (changes["delivered"], changes["unconfirmed"]) == (7, False)
    assert not {"agreed", "remote_id"} & changes.keys()


@pytest.mark.parametrize("action", [Action.UPDATE, Action.LOOKUP, Action.WAIT, Action.DELETE])
@pytest.mark.parametrize("claim", [CLAIM, AGAIN])
def test_what_was_not_sent_leaves_everything_as_it_was(claim, action):
    assert after(action, None, claim) == {"unconfirmed": claim.was, "deleting": False}


def test_a_create_that_was_not_sent_forgets_its_key():
    assert after(Action.CREATE, None, known=Known()) == {"unconfirmed": False, "deleting": False} | settle.NO_CREATE


@pytest.mark.parametrize("claim", [CLAIM, AGAIN])
@pytest.mark.parametrize("outcome", [Outcome.PERMANENT, Outcome.TAKEN, Outcome.FORBIDDEN])
def test_what_is_refused_is_rejected_for_as_long_as_nothing_else_is_delivered(outcome, claim):
    changes = after(Action.UPDATE, outcome, claim)
    assert changes["gone"] is False
    assert (changes["rejected"], changes["refused_at"]) == (7, CLAIMED)
    assert (changes["unconfirmed"], changes["reason"]) == (claim.was, "says no")
    assert not {"delivered", "agreed", "not_before"} & changes.keys()


def test_a_refused_create_clears_its_key_and_a_refused_lookup_or_replay_does_not():
    assert after(Action.CREATE, Outcome.PERMANENT, known=Known())["create_key"] is None
    for action in (Action.LOOKUP, Action.REPLAY):
        changes = after(action, Outcome.PERMANENT, AGAIN, known=UNANSWERED)
        assert (changes["rejected"], changes["refused_at"]) == (7, None)
        assert "create_key" not in changes


def test_a_retryable_refusal_waits_longer_each_time():
    changes = after(Action.UPDATE, Outcome.RETRYABLE)
    assert changes["tries"] == 3
    assert changes["not_before"] == NOW + timedelta(seconds=4)  # half of 2 ** 3


def test_a_wrong_setting_costs_the_object_nothing():
    assert not {"tries", "not_before", "rejected"} & after(Action.UPDATE, Outcome.CONFIGURATION).keys()


@pytest.mark.parametrize(("request_seconds", "wait"), [(1.0, 4), (20.0, 20)])
def test_an_unknown_outcome_waits_at_least_until_a_straggler_has_died(request_seconds, wait):
    changes = after(Action.UPDATE, Outcome.UNKNOWN, rules=Rules(request_seconds=request_seconds))
    assert changes["unconfirmed"] is True
    assert changes["not_before"] == NOW + timedelta(seconds=wait)
    assert not {"delivered", "agreed", "create_key", "deleting"} & changes.keys()


@pytest.mark.parametrize("can_look_up", [True, False])
def test_a_record_that_is_gone_is_looked_up_before_it_is_created_again(can_look_up):
    changes = after(Action.UPDATE, Outcome.GONE, rules=Rules(can_look_up=can_look_up))
    assert (changes["remote_id"], changes["unconfirmed"]) == (None, False)
    assert changes["look_first"] is can_look_up
    assert ("agreed" in changes) is not can_look_up, "what it held is what it is looked up by"
    assert "delivered" not in changes


def test_a_record_that_is_gone_is_rejected_where_the_route_says_so_unless_we_deleted_it():
    reject = Rules(recreate=False)
    changes = after(Action.UPDATE, Outcome.GONE, rules=reject)
    assert (changes["rejected"], changes["gone"]) == (7, True)
    assert changes["reason"] == "no longer has this record: says no"
    assert "remote_id" not in changes
    ours = Known(remote_id="5", unconfirmed=True, deleting=True)
    assert after(Action.UPDATE, Outcome.GONE, AGAIN, known=ours, rules=reject)["remote_id"] is None


def test_a_create_that_was_found_is_bound_but_what_it_holds_is_not_known():
    changes = after(Action.LOOKUP, Outcome.DONE, AGAIN, known=UNANSWERED, candidates=[alike("4"), equal("5")])
    assert (changes["remote_id"], changes["agreed"], changes["create_key"]) == ("5", None, None)
    assert "delivered" not in changes


def test_a_create_that_was_not_found_may_be_sent_again():
    changes = after(Action.LOOKUP, Outcome.DONE, AGAIN, known=UNANSWERED)
    assert (changes["create_key"], changes["unconfirmed"], changes["look_first"]) == (None, False, False)
    assert not {"delivered", "remote_id"} & changes.keys()


@pytest.mark.parametrize("candidates", [[equal("5"), equal("6")], [alike("5")], [alike("5"), alike("6")]])
def test_several_candidates_and_one_that_differs_are_left_to_a_person(candidates):
    changes = after(Action.LOOKUP, Outcome.DONE, AGAIN, known=UNANSWERED, candidates=candidates)
    assert (changes["in_doubt"], changes["unconfirmed"]) == (True, True)
    assert "create_key" not in changes


@pytest.mark.parametrize(
    ("known", "why"), [(UNANSWERED, "was not answered"), (Known(look_first=True), "is not known here")]
)
def test_what_can_not_be_known_is_left_to_a_person(known, why):
    changes = after(Action.DOUBT, None, AGAIN, known=known)
    assert (changes["in_doubt"], changes["candidates"]) == (True, None)
    assert why in changes["reason"]


@pytest.mark.parametrize(("action", "claim"), [(Action.CREATE, CLAIM), (Action.REPLAY, AGAIN)])
def test_an_id_that_is_taken_sets_the_create_aside_and_it_stays_unanswered(action, claim):
    changes = settle.taken_id(claim, action, "101")
    assert (changes["rejected"], changes["unconfirmed"], changes["tries"]) == (7, True, 3)
    assert "create_key" not in changes


def test_an_update_whose_new_id_is_bound_already_is_sent_again():
    assert settle.taken_id(AGAIN, Action.UPDATE, "101") == {"unconfirmed": True, "tries": 3}


@pytest.mark.parametrize("claim", [CLAIM, AGAIN])
def test_a_record_that_another_worker_was_quicker_to_bind_is_looked_up_again(claim):
    assert settle.taken_id(claim, Action.LOOKUP, "101") == {"unconfirmed": claim.was, "tries": claim.tries + 1}


@pytest.mark.parametrize("action", [Action.LOOKUP, Action.REPLAY])
def test_the_reason_of_a_refused_question_says_what_was_asked(action):
    reason = after(action, Outcome.PERMANENT, AGAIN, known=UNANSWERED)["reason"]
    assert reason == "did not settle whether a create arrived: says no"


def test_candidates_are_kept_and_the_reason_names_as_many_as_it_has_room_for():
    candidates = [alike(str(number)) for number in range(1000, 1200)]
    changes = after(Action.LOOKUP, Outcome.DONE, AGAIN, known=UNANSWERED, candidates=candidates)
    assert [kept["id"] for kept in changes["candidates"]] == [one.remote_id for one in candidates[: settle.CANDIDATES]]
    assert changes["candidates"][0]["shown"] == {"title": "a"}
    assert len(changes["reason"]) <= TEXT_MOST
    assert changes["reason"].endswith(", …")


@pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
def test_a_record_that_answered_is_not_to_be_looked_up_any_more(action):
    changes = after(action, Outcome.DONE, known=Known(remote_id="5", look_first=True))
    assert changes["look_first"] is False


# --- a create that was accepted, and one of what is there already ----------------------------------------------------
MADE = Known(create_body=SENT, unconfirmed=True, made=True, create_at=NOW - timedelta(minutes=59))


def test_a_create_that_was_accepted_without_an_id_is_looked_up_at_once_and_keeps_what_it_is_found_by():
    changes = after(Action.CREATE, Outcome.MADE, known=Known())
    assert (changes["unconfirmed"], changes["made"], changes["not_before"]) == (True, True, None)
    assert not {"create_key", "create_body", "delivered", "remote_id"} & changes.keys()


def test_a_target_that_repeats_its_answer_without_an_id_is_not_asked_to_repeat_it_again():
    changes = after(Action.REPLAY, Outcome.MADE, AGAIN, known=UNANSWERED)
    assert (changes["made"], changes["create_key"]) == (True, None)


def test_a_record_whose_create_was_accepted_is_waited_for_and_at_last_left_to_a_person():
    changes = after(Action.LOOKUP, Outcome.DONE, AGAIN, known=MADE)
    assert (changes["unconfirmed"], changes["not_before"]) == (True, NOW + timedelta(seconds=4))
    assert "create_key" not in changes
    late = Known(create_body=SENT, unconfirmed=True, made=True, create_at=NOW - timedelta(hours=1))
    assert after(Action.LOOKUP, Outcome.DONE, AGAIN, known=late)["in_doubt"] is True


def test_what_is_there_already_is_bound_if_it_is_equal_and_left_to_a_person_if_not():
    bound = after(Action.CREATE, Outcome.TAKEN, known=Known(), candidates=[equal("5")])
    assert (bound["remote_id"], bound["agreed"], bound["create_key"]) == ("5", None, None)
    doubt = after(Action.CREATE, Outcome.TAKEN, known=Known(), candidates=[alike("5")])
    assert (doubt["in_doubt"], doubt["create_key"]) == (True, None)
    assert doubt["reason"] == "has a record that fits the lookup and differs: 5"
    assert "refused_at" in after(Action.CREATE, Outcome.TAKEN, known=Known())


@pytest.mark.parametrize(
    ("is_disputed", "before", "tries", "is_answering", "left_to"),
    [
        (True, f"says both{DISPUTED}", 3, True, 4),
        (True, f"says both{DISPUTED}", 4, True, "a person"),
        (True, f"says both{DISPUTED}", 4, False, 5),
        (True, "answered 503", 4, True, 1),
        (False, f"answered 404{UNREAD}", 8, True, 9),
        (False, f"answered 404{UNREAD}", 9, True, "a person"),
    ],
)
def test_a_record_whose_absence_is_not_proved_is_left_to_a_person(is_disputed, before, tries, is_answering, left_to):
    verdict = Verdict(outcome=Outcome.RETRYABLE, why="no", is_disputed=is_disputed, is_unread=not is_disputed)
    end = End(action=Action.UPDATE, known=BOUND, sent=SENT, verdict=verdict)
    claim, rules = Claim(wanted=7, tries=tries, at=NOW, why=before), Rules(is_answering=is_answering)
    changes = changes_after(claim, end, rules, now=NOW, jitter=0.5)
    is_left = left_to == "a person"
    assert (changes.get("gone", False), changes.get("rejected")) == (is_left, 7 if is_left else None)
    assert is_left or changes["tries"] == left_to


@pytest.mark.parametrize(("tries", "rejected"), [(3, None), (4, 7)])
def test_a_look_up_that_is_forbidden_is_tried_some_times(tries, rejected):
    claim = Claim(wanted=7, tries=tries, at=CLAIMED)
    assert after(Action.LOOKUP, Outcome.FORBIDDEN, claim, known=UNANSWERED).get("rejected") == rejected


def test_an_update_may_give_the_record_another_id():
    changes = after(Action.UPDATE, Outcome.DONE, remote_id='"new"')
    assert (changes["remote_id"], changes["last_remote_id"], changes["agreed"]) == ('"new"', '"new"', SENT)


@pytest.mark.parametrize(
    ("create_at", "tries", "is_doubtful"),
    [
        (NOW - timedelta(minutes=59), 0, False),
        (NOW - timedelta(minutes=60), 0, True),
        (None, 10, False),
        (None, 11, True),
    ],
)
def test_a_list_that_proves_nothing_is_read_again_before_a_person_is_asked(create_at, tries, is_doubtful):
    known = Known(create_body=SENT, unconfirmed=True, create_at=create_at)
    end = End(action=Action.LOOKUP, known=known, verdict=Verdict(outcome=Outcome.DONE), unproven="lacks 5")
    claim = Claim(wanted=7, was=True, tries=tries, at=CLAIMED)
    changes = changes_after(claim, end, Rules(), now=NOW, jitter=0.5)
    assert (changes.get("in_doubt", False), changes["reason"], changes["unconfirmed"]) == (is_doubtful, "lacks 5", True)
    assert "create_body" not in changes


def test_a_route_that_overwrites_takes_the_only_record_that_fits():
    rules = Rules(overwrite=True)
    assert after(Action.CREATE, Outcome.TAKEN, known=Known(), candidates=[alike("5")], rules=rules)["remote_id"] == "5"
    several = [alike("5"), alike("6")]
    assert after(Action.CREATE, Outcome.TAKEN, known=Known(), candidates=several, rules=rules)["in_doubt"] is True
