from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.core.decide import Action
from syncer.core.outcome import Exchange, Outcome, Silence, candidates, classify, decode_id, encode_id, is_id, unquoted

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WRITES = (Action.CREATE, Action.UPDATE, Action.DELETE)
ALL = (*WRITES, Action.LOOKUP)


def outcome(action, **exchange):
    return classify(action, Exchange(**exchange), now=NOW).outcome


@pytest.mark.parametrize("action", ALL)
@pytest.mark.parametrize(
    ("status", "means"),
    [
        (301, Outcome.CONFIGURATION),
        (302, Outcome.CONFIGURATION),
        (400, Outcome.PERMANENT),
        (401, Outcome.CONFIGURATION),
        (403, Outcome.CONFIGURATION),
        (408, Outcome.RETRYABLE),
        (409, Outcome.PERMANENT),
        (422, Outcome.PERMANENT),
        (425, Outcome.RETRYABLE),
        (429, Outcome.RETRYABLE),
    ],
)
def test_a_refusal_means_the_same_for_every_request(action, status, means):
    assert outcome(action, status=status, body=b"no") is means


def test_a_replay_whose_first_request_is_still_being_processed_is_sent_again_later():
    assert outcome(Action.REPLAY, status=409) is Outcome.RETRYABLE
    assert outcome(Action.REPLAY, status=422) is Outcome.PERMANENT


@pytest.mark.parametrize("status", [100, 500, 502, 503, 504])
def test_a_server_error_may_have_been_carried_out(status):
    assert {outcome(action, status=status) for action in WRITES} == {Outcome.UNKNOWN}
    assert outcome(Action.LOOKUP, status=status) is Outcome.RETRYABLE


@pytest.mark.parametrize("status", [404, 410])
def test_not_found_depends_on_what_was_asked(status):
    assert outcome(Action.DELETE, status=status) is Outcome.DONE
    assert outcome(Action.UPDATE, status=status) is Outcome.GONE
    assert outcome(Action.CREATE, status=status) is Outcome.PERMANENT
    assert outcome(Action.LOOKUP, status=status) is Outcome.PERMANENT


@pytest.mark.parametrize(
    ("silence", "write", "lookup"),
    [
        (Silence.NOT_SENT, Outcome.RETRYABLE, Outcome.RETRYABLE),
        (Silence.LOST, Outcome.UNKNOWN, Outcome.RETRYABLE),
        (Silence.REFUSED_BY_US, Outcome.CONFIGURATION, Outcome.CONFIGURATION),
    ],
)
def test_silence_by_whether_the_request_can_have_arrived(silence, write, lookup):
    assert {outcome(action, silence=silence, why="is silent") for action in WRITES} == {write}
    assert outcome(Action.LOOKUP, silence=silence, why="is silent") is lookup


@pytest.mark.parametrize("body", [b"<html>", b'{"id": ', b"\xff"])
def test_an_unreadable_success_is_unknown(body):
    assert {outcome(action, status=200, body=body) for action in WRITES} == {Outcome.UNKNOWN}
    assert outcome(Action.LOOKUP, status=200, body=body) is Outcome.RETRYABLE


@pytest.mark.parametrize("body", [b"", b" ", b"[]", b'"x"', b"{}", b'{"id": null}', b'{"id": [1]}', b'{"id": true}'])
def test_a_create_answered_without_an_id_is_unknown(body):
    assert outcome(Action.CREATE, status=201, body=body) is Outcome.UNKNOWN


@pytest.mark.parametrize("remote_id", [1, "a"])
def test_a_create_answered_with_an_id_is_done(remote_id):
    body = b'{"key": 1}' if remote_id == 1 else b'{"key": "a"}'
    verdict = classify(Action.CREATE, Exchange(status=201, body=body), now=NOW, id_field="key")
    assert (verdict.outcome, verdict.record) == (Outcome.DONE, {"key": remote_id})


@pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
@pytest.mark.parametrize("body", [b"", b"{}", b"[]"])
def test_other_successes_need_no_body(action, body):
    assert outcome(action, status=200, body=body) is Outcome.DONE
    assert outcome(action, status=204, body=body) is Outcome.DONE


def test_a_list_without_a_body_is_asked_for_again():
    assert outcome(Action.LOOKUP, status=200, body=b"[]") is Outcome.DONE
    assert outcome(Action.LOOKUP, status=200, body=b" ") is Outcome.RETRYABLE


@pytest.mark.parametrize(("status", "waits"), [(429, 5), (503, 5), (500, None), (422, None)])
def test_only_429_and_503_make_the_target_wait(status, waits):
    assert classify(Action.UPDATE, Exchange(status=status, retry_after="5"), now=NOW).target_waits == waits


@pytest.mark.parametrize("action", ALL)
def test_only_429_makes_it_wait_without_saying_for_how_long(action):
    found = {status: classify(action, Exchange(status=status), now=NOW) for status in (425, 429, 503)}
    assert [status for status, verdict in found.items() if verdict.throttled] == [429]
    assert {verdict.target_waits for verdict in found.values()} == {None}


@pytest.mark.parametrize(("status", "means"), [(429, (5, True)), (503, (5, False)), (500, (None, False))])
def test_a_sign_in_that_is_put_off_makes_the_target_wait_too(status, means):
    kept_back = Exchange(silence=Silence.NOT_SENT, status=status, retry_after="5", why="is busy")
    verdict = classify(Action.CREATE, kept_back, now=NOW)
    assert verdict.outcome is Outcome.RETRYABLE
    assert (verdict.target_waits, verdict.throttled) == means


def test_the_reason_reads_on_from_the_name_of_the_target():
    assert classify(Action.CREATE, Exchange(status=422, body=b" no "), now=NOW).why == "answered 422: no"
    assert classify(Action.CREATE, Exchange(status=422), now=NOW).why == "answered 422"


def test_an_attempt_keeps_why_there_is_no_answer():
    assert Exchange(silence=Silence.LOST, why="did not answer in time").text == "did not answer in time"
    assert Exchange(status=200, body=b"[1]").text == "[1]"


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("The demo remote answered 422: title is\nblank", "The demo remote answered 422"),
        ("The demo remote refused the connection", "The demo remote refused the connection"),
    ],
)
def test_a_reason_is_shown_without_what_it_quotes(reason, kept):
    assert unquoted(reason) == kept


@pytest.mark.parametrize(
    ("status", "body", "means"),
    [
        (200, b'{"items": []}', Outcome.DONE),
        (200, b"[]", Outcome.UNKNOWN),
        (200, b"", Outcome.UNKNOWN),
        (422, b"no", Outcome.CONFIGURATION),
        (404, b"no", Outcome.CONFIGURATION),
        (500, b"no", Outcome.UNKNOWN),
        (429, b"no", Outcome.RETRYABLE),
    ],
)
def test_a_peer_answers_with_an_object_and_refuses_a_whole_batch_only_because_of_us(status, body, means):
    verdict = classify(Action.PUSH, Exchange(status=status, body=body), now=NOW)
    assert verdict.outcome is means
    assert verdict.record == ({"items": []} if means is Outcome.DONE else {})


# --- ids and records -------------------------------------------------------------------------------------------------


# All of `st.text()`, whose tables take hypothesis two seconds to make in a fresh checkout.
ABOVE_SURROGATES = st.integers(0xE000, 0x10FFFF).map(chr)
SIGNS = st.sampled_from('"\\/ .5aZ\n\0\x7fé…') | st.integers(0, 0xD7FF).map(chr) | ABOVE_SURROGATES


@given(st.integers() | st.lists(SIGNS).map("".join))
def test_remote_ids_survive_their_text(remote_id):
    assert decode_id(encode_id(remote_id)) == remote_id


def test_a_number_and_its_text_are_two_ids():
    assert encode_id(5) != encode_id("5")


IDS = [5, 0, -1, "5", "a b", "…", "x" * 254]


@pytest.mark.parametrize("remote_id", IDS, ids=range(len(IDS)))
def test_a_number_or_a_text_is_an_id(remote_id):
    assert is_id(remote_id)


NO_IDS = ["", ".", "..", "\ud800", "x" * 255, 10**256, None, True, 1.5, [1]]


@pytest.mark.parametrize("remote_id", NO_IDS, ids=range(len(NO_IDS)))
def test_what_no_binding_or_address_can_hold_is_not_an_id(remote_id):
    assert not is_id(remote_id)


BODY = {"title": "A", "userId": 1}


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"id": 1, "title": "A", "userId": 1}, ["1"]),
        ({"id": "x", "title": "A", "userId": 1, "more": True}, ['"x"']),
        ({"id": 1, "title": "B", "userId": 1}, []),
        ({"id": 1, "title": "A", "userId": "1"}, []),
        ({"id": 1, "title": "A"}, []),
        ({"title": "A", "userId": 1}, []),
        ({"id": None, "title": "A", "userId": 1}, []),
        ("A", []),
        (None, []),
    ],
)
def test_every_field_of_a_candidate_is_compared(record, found):
    assert candidates([record], BODY, id_field="id", bound=()) == found


def test_a_bound_record_is_not_a_candidate():
    records = [BODY | {"id": 1}, BODY | {"id": 2}]
    assert candidates(records, BODY, id_field="id", bound={"1"}) == ["2"]
