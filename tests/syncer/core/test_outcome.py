from dataclasses import replace
from datetime import UTC, datetime

import pytest

from syncer.core.answers import Answers
from syncer.core.decide import Action
from syncer.core.ids import encode_id
from syncer.core.outcome import Exchange, Outcome, Place, Silence, Verdict, classify, confirmed, unquoted

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WRITES = (Action.CREATE, Action.UPDATE, Action.DELETE)
ALL = (*WRITES, Action.LOOKUP)
WAIT = {"retry-after": "5"}


def outcome(action, **exchange):
    return classify(action, Exchange(**exchange), now=NOW).outcome


@pytest.mark.parametrize("action", ALL)
@pytest.mark.parametrize(
    ("status", "means"),
    [
        (307, Outcome.CONFIGURATION),
        (308, Outcome.CONFIGURATION),
        (400, Outcome.PERMANENT),
        (401, Outcome.CONFIGURATION),
        (403, Outcome.FORBIDDEN),
        (408, Outcome.RETRYABLE),
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
    assert outcome(Action.DELETE, status=status) is Outcome.GONE
    assert outcome(Action.UPDATE, status=status) is Outcome.GONE
    assert outcome(Action.CREATE, status=status) is Outcome.PERMANENT
    assert outcome(Action.LOOKUP, status=status) is Outcome.RETRYABLE


@pytest.mark.parametrize(
    ("status", "means"), [(301, Outcome.UNKNOWN), (302, Outcome.UNKNOWN), (303, Outcome.MADE), (409, Outcome.TAKEN)]
)
def test_a_create_that_is_sent_elsewhere_or_is_there_already(status, means):
    assert outcome(Action.CREATE, status=status) is means
    is_redirect = status < 400
    assert outcome(Action.UPDATE, status=status) is (Outcome.CONFIGURATION if is_redirect else Outcome.PERMANENT)


@pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
def test_nothing_new_is_done(action):
    assert outcome(action, status=304) is Outcome.DONE
    assert outcome(Action.CREATE, status=304) is Outcome.CONFIGURATION


# --- what is believed only with evidence -----------------------------------------------------------------------------
LISTED = Verdict(outcome=Outcome.DONE)
UNLISTED = Verdict(outcome=Outcome.RETRYABLE, why="answered 404: default backend")


@pytest.mark.parametrize(
    ("action", "status", "is_unproven"),
    [
        (Action.UPDATE, 404, True),
        (Action.DELETE, 410, True),
        (Action.CREATE, 404, True),
        (Action.UPDATE, 403, True),
        (Action.CREATE, 405, True),
        (Action.LOOKUP, 404, False),
        (Action.UPDATE, 422, False),
    ],
)
def test_a_gateway_may_have_answered_instead(action, status, is_unproven):
    assert classify(action, Exchange(status=status), now=NOW).is_unproven is is_unproven


def seen(action, status, listing=LISTED, record=None, **listed):
    verdict = confirmed(classify(action, Exchange(status=status), now=NOW), listing, record, **listed)
    assert not verdict.is_unproven
    return verdict


@pytest.mark.parametrize(("action", "status"), [(Action.UPDATE, 404), (Action.CREATE, 404), (Action.DELETE, 405)])
def test_a_refusal_proves_nothing_while_the_list_can_not_be_read_either(action, status):
    verdict = seen(action, status, UNLISTED)
    assert verdict.outcome is Outcome.RETRYABLE
    assert verdict.why == (
        f"answered {status}; its list can't be read either, so this proves nothing (answered 404: default backend)"
    )


@pytest.mark.parametrize(
    ("record", "means"),
    [
        (Exchange(status=404), Outcome.GONE),
        (Exchange(status=410), Outcome.GONE),
        (Exchange(status=405), Outcome.GONE),  # the API has no way to get a single record
        (None, Outcome.GONE),
        (Exchange(status=200), Outcome.RETRYABLE),
        (Exchange(status=502), Outcome.RETRYABLE),
        (Exchange(silence=Silence.LOST, why="did not answer"), Outcome.RETRYABLE),
    ],
)
def test_a_record_is_gone_while_its_list_answers_and_the_record_still_does_not(record, means):
    assert seen(Action.UPDATE, 404, record=record).outcome is means
    assert seen(Action.UPDATE, 404, record=record, is_listed=True).outcome is Outcome.RETRYABLE


def test_an_api_without_lists_forbids_an_object_where_it_has_carried_out_others():
    no_lists = classify(Action.LOOKUP, Exchange(status=405), now=NOW)
    assert no_lists.outcome is Outcome.PERMANENT
    assert seen(Action.UPDATE, 403, no_lists).outcome is Outcome.RETRYABLE
    assert seen(Action.UPDATE, 403, no_lists, has_succeeded=True).outcome is Outcome.FORBIDDEN
    assert seen(Action.UPDATE, 404, no_lists, has_succeeded=True).outcome is Outcome.RETRYABLE
    assert seen(Action.UPDATE, 403, UNLISTED, has_succeeded=True).outcome is Outcome.RETRYABLE


def test_a_refusal_in_an_answer_of_200_may_say_that_the_record_is_gone():
    refused = classify(Action.UPDATE, Exchange(status=200, body=b'{"errors": ["no such record"]}'), now=NOW)
    assert refused.is_unproven
    assert confirmed(refused, LISTED, Exchange(status=404)).outcome is Outcome.GONE
    assert confirmed(refused, LISTED, Exchange(status=200)).outcome is Outcome.PERMANENT


def test_what_is_forbidden_everywhere_is_a_matter_of_the_settings():
    everywhere = Verdict(outcome=Outcome.FORBIDDEN, why="answered 403")
    assert seen(Action.UPDATE, 403).outcome is Outcome.FORBIDDEN
    assert seen(Action.UPDATE, 403, everywhere).outcome is Outcome.CONFIGURATION
    assert seen(Action.UPDATE, 404, Verdict(outcome=Outcome.CONFIGURATION)).outcome is Outcome.CONFIGURATION
    assert seen(Action.CREATE, 404).outcome is Outcome.PERMANENT


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
def test_an_unreadable_success_was_carried_out(body):
    assert outcome(Action.CREATE, status=200, body=body) is Outcome.MADE
    assert {outcome(action, status=200, body=body) for action in (Action.UPDATE, Action.DELETE)} == {Outcome.DONE}
    assert outcome(Action.PUSH, status=200, body=body) is Outcome.UNKNOWN
    assert outcome(Action.LOOKUP, status=200, body=body) is Outcome.RETRYABLE


@pytest.mark.parametrize("body", [b"", b" ", b"[]", b'"x"', b"{}", b'{"id": null}', b'{"id": [1]}', b'{"id": true}'])
def test_a_create_answered_without_an_id_was_carried_out(body):
    assert outcome(Action.CREATE, status=201, body=body) is Outcome.MADE


@pytest.mark.parametrize("remote_id", [1, "a"])
def test_a_create_answered_with_an_id_is_done(remote_id):
    body = b'{"key": 1}' if remote_id == 1 else b'{"key": "a"}'
    verdict = classify(Action.CREATE, Exchange(status=201, body=body), now=NOW, answers=Answers(id="key"))
    assert (verdict.outcome, verdict.remote_id) == (Outcome.DONE, encode_id(remote_id))


PLACE = Place(before="/v1/posts/", after=".json")


@pytest.mark.parametrize(
    ("location", "remote_id"),
    [
        ("https://api.example.com/v1/posts/5.json", "5"),
        ("/v1/posts/a%20b.json?x=1#y", '"a b"'),
        ("/v1/posts/007.json", '"007"'),
        ("/v1/posts/", None),
        ("/v1/posts/5", None),
        ("/v1/posts/5/more.json", None),
        ("/v1/posts/...json", None),
        ("/elsewhere/5.json", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("status", [201, 303])
def test_the_id_of_a_new_record_is_read_out_of_its_address(status, location, remote_id):
    answer = Exchange(status=status, headers={"location": location})
    verdict = classify(Action.CREATE, answer, now=NOW, place=PLACE)
    assert (verdict.outcome, verdict.remote_id) == (Outcome.DONE if remote_id else Outcome.MADE, remote_id)


@pytest.mark.parametrize(
    ("body", "answers", "means"),
    [
        (b'{"success": false, "errors": ["no"]}', Answers(), Outcome.PERMANENT),
        (b'{"error": {"code": 5}}', Answers(), Outcome.PERMANENT),
        (b'{"ok": false}', Answers(), Outcome.PERMANENT),
        (b'{"errors": [], "success": true}', Answers(), Outcome.DONE),
        (b'{"id": 1, "errors": ["only a warning"]}', Answers(), Outcome.DONE),
        (b'{"title": "A", "error": "a field of the record"}', Answers(names=frozenset({"title"})), Outcome.DONE),
        (b'{"data": {"title": "A"}, "error": "x"}', Answers(record="data", names=frozenset({"title"})), Outcome.DONE),
        (b'[{"error": 1}]', Answers(), Outcome.PERMANENT),
        (
            b'[{"id": 1, "error": 1}, {"title": "A", "status": "failed"}]',
            Answers(names=frozenset({"title"})),
            Outcome.DONE,
        ),
        (b'[[[[[{"error": 1}]]]]]', Answers(), Outcome.DONE),
        (b'{"a": {"b": {"c": {"d": {"error": 1}}}}}', Answers(), Outcome.DONE),
        (b'{"status": "fail", "data": {"title": "is too long"}}', Answers(), Outcome.PERMANENT),
        (b'{"data": {"post": null, "userErrors": [{"message": "x"}]}}', Answers(), Outcome.PERMANENT),
        (b'{"errcode": 40013}', Answers(), Outcome.PERMANENT),
        (b'{"errcode": 0, "error": {"code": 0, "message": ""}}', Answers(), Outcome.DONE),
        (b'{"error": "None", "code": 200, "status": 1}', Answers(), Outcome.DONE),
        (b'{"code": 422}', Answers(), Outcome.PERMANENT),
        (b'{"code": 422.0}', Answers(), Outcome.DONE),
        (b'{"results": [{"status": 404, "error": {"message": "x"}}]}', Answers(), Outcome.GONE),
        (b'[{"error": {"status": "429"}}]', Answers(), Outcome.RETRYABLE),
        (b'{"error": {"code": 503}}', Answers(), Outcome.UNKNOWN),
        (b'{"state": "FAILED"}', Answers(ok="state"), Outcome.PERMANENT),
        (b'{"state": "ok"}', Answers(ok="state"), Outcome.DONE),
        (b'{"status": {"done": true}}', Answers(ok="status.done"), Outcome.DONE),
        (b'{"status": {"done": false}, "id": 1}', Answers(ok="status.done"), Outcome.PERMANENT),
        (b'{"id": 1}', Answers(ok="done"), Outcome.PERMANENT),
        (b'{"fault": null, "errors": 1}', Answers(error="fault"), Outcome.DONE),
        (b'{"fault": "no", "id": 1}', Answers(error="fault"), Outcome.PERMANENT),
        (b"<html>", Answers(error="fault"), Outcome.UNKNOWN),
        (b"", Answers(ok="done"), Outcome.DONE),
    ],
)
def test_errors_in_an_answer_of_200_are_a_refusal(body, answers, means):
    verdict = classify(Action.UPDATE, Exchange(status=200, body=body), now=NOW, answers=answers)
    assert verdict.outcome is means
    assert (means is Outcome.DONE) == (verdict.why == "")


@pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
@pytest.mark.parametrize("body", [b"", b"{}", b"[]"])
def test_other_successes_need_no_body(action, body):
    assert outcome(action, status=200, body=body) is Outcome.DONE
    assert outcome(action, status=204, body=body) is Outcome.DONE


def test_a_list_without_a_body_is_asked_for_again():
    assert outcome(Action.LOOKUP, status=200, body=b"[]") is Outcome.DONE
    assert outcome(Action.LOOKUP, status=200, body=b" ") is Outcome.RETRYABLE


@pytest.mark.parametrize(("status", "waits"), [(429, 5), (503, 5), (403, 5), (500, None), (422, None)])
def test_only_429_503_and_403_make_the_target_wait(status, waits):
    assert classify(Action.UPDATE, Exchange(status=status, headers=WAIT), now=NOW).target_waits == waits


@pytest.mark.parametrize("action", ALL)
def test_only_429_makes_it_wait_without_saying_for_how_long(action):
    found = {status: classify(action, Exchange(status=status), now=NOW) for status in (425, 429, 503)}
    assert [status for status, verdict in found.items() if verdict.throttled] == [429]
    assert {verdict.target_waits for verdict in found.values()} == {None}


@pytest.mark.parametrize(("status", "means"), [(429, (5, True)), (503, (5, False)), (500, (None, False))])
def test_a_sign_in_that_is_put_off_makes_the_target_wait_too(status, means):
    kept_back = Exchange(silence=Silence.NOT_SENT, status=status, headers=WAIT, why="is busy")
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
        ("'due' can't be sent as 'date'. Edit due. Value: \"A\nB\"", "'due' can't be sent as 'date'. Edit due. Value"),
        ("'slug' can't be computed. Edit title. Error: KeyError('A')", "'slug' can't be computed. Edit title. Error"),
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
        (401, b"no", Outcome.CONFIGURATION),
        (404, b"no", Outcome.RETRYABLE),
        (405, b"no", Outcome.RETRYABLE),
        (500, b"no", Outcome.UNKNOWN),
        (429, b"no", Outcome.RETRYABLE),
    ],
)
def test_a_peer_answers_with_an_object_and_refuses_a_whole_batch_only_because_of_us(status, body, means):
    verdict = classify(Action.PUSH, Exchange(status=status, body=body), now=NOW)
    assert verdict.outcome is means
    assert verdict.record == ({"items": []} if means is Outcome.DONE else {})


def test_a_peer_that_refuses_a_batch_in_its_own_words_needs_a_person_and_its_gateway_does_not():
    ours = {"content-type": "application/problem+json"}
    assert outcome(Action.PUSH, status=403, headers=ours) is Outcome.CONFIGURATION
    assert outcome(Action.PUSH, status=403, headers={"content-type": "text/html"}) is Outcome.RETRYABLE


def test_an_exhausted_limit_is_a_wait_and_no_refusal():
    spent = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "30"}
    verdict = classify(Action.UPDATE, Exchange(status=403, headers=spent), now=NOW)
    assert (verdict.outcome, verdict.throttled, verdict.target_waits) == (Outcome.RETRYABLE, True, 30)


@pytest.mark.parametrize(("etag", "kept"), [('"a"', '"a"'), ('W/"a"', "")])
def test_only_a_strong_etag_is_kept(etag, kept):
    assert classify(Action.UPDATE, Exchange(status=200, headers={"etag": etag}), now=NOW).etag == kept


@pytest.mark.parametrize(
    ("verdict", "listing", "means"),
    [
        (Verdict(outcome=Outcome.DONE), Verdict(outcome=Outcome.DONE), Outcome.DONE),
        (Verdict(outcome=Outcome.MADE), Verdict(outcome=Outcome.RETRYABLE), Outcome.MADE),
        (Verdict(outcome=Outcome.DONE), Verdict(outcome=Outcome.RETRYABLE, is_strange=True), Outcome.UNKNOWN),
        (Verdict(outcome=Outcome.MADE), Verdict(outcome=Outcome.RETRYABLE, is_strange=True), Outcome.UNKNOWN),
        (Verdict(outcome=Outcome.CONFIGURATION), Verdict(outcome=Outcome.DONE), Outcome.FORBIDDEN),
        (Verdict(outcome=Outcome.CONFIGURATION), Verdict(outcome=Outcome.RETRYABLE), Outcome.CONFIGURATION),
        (Verdict(outcome=Outcome.CONFIGURATION), Verdict(outcome=Outcome.CONFIGURATION), Outcome.CONFIGURATION),
    ],
)
def test_the_list_shows_who_answers(verdict, listing, means):
    judged = confirmed(replace(verdict, is_unproven=True), listing)
    assert (judged.outcome, judged.is_unproven) == (means, False)
    assert judged.may_pass is (means is Outcome.FORBIDDEN)


@pytest.mark.parametrize(
    ("status", "headers", "means"),
    [
        (415, {}, Outcome.FORBIDDEN),
        (402, {}, Outcome.FORBIDDEN),
        (423, {}, Outcome.RETRYABLE),
        (413, {}, Outcome.PERMANENT),
        (413, {"retry-after": "5"}, Outcome.RETRYABLE),
        (401, {"retry-after": "5"}, Outcome.CONFIGURATION),
        (430, {}, Outcome.RETRYABLE),
    ],
)
def test_a_status_is_about_the_object_the_form_or_the_moment(status, headers, means):
    verdict = classify(Action.UPDATE, Exchange(status=status, headers=headers), now=NOW)
    assert verdict.outcome is means
    assert verdict.throttled is (status == 430)


@pytest.mark.parametrize(
    ("body", "remote_id"),
    [(b'{"id": "job-1", "status": "queued"}', None), (b'{"id": 5, "title": "A"}', "5")],
)
def test_a_202_names_a_record_only_if_it_shows_one(body, remote_id):
    answers = Answers(names=frozenset({"title"}))
    verdict = classify(Action.CREATE, Exchange(status=202, body=body), now=NOW, answers=answers)
    assert verdict.remote_id == remote_id
    assert verdict.outcome is (Outcome.DONE if remote_id else Outcome.MADE)
