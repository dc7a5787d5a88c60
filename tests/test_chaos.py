"""What the chaos run's verdicts stand on: its schedule, its books, and how it pairs failures with faults."""

from dataclasses import replace
from typing import Any

import pytest

from syncer.core.outcome import Outcome
from syncer.engine.settling import LOST
from tests.chaos import judge
from tests.chaos.audit import Audit
from tests.chaos.books import meaning
from tests.chaos.explain import Asked, Explainer, Tried, match, whose
from tests.chaos.schedule import What, schedule
from tests.remote import Entry
from tests.remote.ways import ALL

ACTIONS = {"POST": ("create", "replay"), "PUT": ("update",), "DELETE": ("delete",), "GET": ("lookup",)}
OUTCOMES = {str(outcome) for outcome in Outcome}


def asked(number, method="POST", *, binding=1, key="", raw=b"", **entry):
    headers = {"Idempotency-Key": key} if key else {}
    noted = Entry(number=number, method=method, path="/posts", query={}, headers=headers, body=None, raw=raw, **entry)
    return Asked(remote="alpha", entry=noted, at=float(number), binding=binding)


def tried(at, *, outcome, status):
    common: dict[str, Any] = {
        "remote": "alpha",
        "binding": 1,
        "method": "POST",
        "path": "/posts",
        "action": "create",
        "answer": "",
    }
    return Tried(**common, at=at, seconds=0.1, outcome=outcome, status=status)


def explain(attempts, requests):
    return Explainer(
        tried=attempts, asked=requests, audit=Audit(), struck={}, cuts=[], outages=[], lost={"alpha": set()}
    ).explain()


def test_a_seed_says_all_that_happens():
    assert schedule("7", 60.0) == schedule("7", 60.0)
    assert schedule("7", 60.0) != schedule("8", 60.0)


@pytest.mark.parametrize("seed", [str(number) for number in range(50)])
def test_every_run_has_all_kinds_of_events_and_ends_quietly(seed):
    events = schedule(seed, 60.0)
    assert {event.what for event in events} == set(What)
    assert sum(event.what is What.CUT for event in events) == 2
    assert events == sorted(events, key=lambda event: event.at)
    assert events[0].at > 0
    assert events[-1].at < 58.5


@pytest.mark.parametrize("way", ALL, ids=lambda way: way.name)
def test_the_books_say_what_every_way_to_fail_means(way):
    asked = [(action, method) for method, of_it in ACTIONS.items() if method in way.methods for action in of_it]
    assert asked
    for action, method in asked:
        assert meaning(way.name, action, method, None)
        assert meaning(way.name, action, method, None) <= OUTCOMES


@pytest.mark.parametrize(
    ("lane", "is_blind"),
    [
        ([asked(1), asked(2)], True),
        ([asked(1, key="a"), asked(2, key="b")], True),
        ([asked(1, key="a", raw=b"{}"), asked(2, key="a", raw=b"{}")], False),
        ([asked(1, key="a", raw=b"{}"), asked(2, key="a", raw=b"{ }")], True),
        ([asked(1, key="a", raw=b"{}"), asked(2, key="a")], False),
        ([asked(1, key="a"), asked(2, key="b", raw=b"{}")], True),
        ([asked(1), asked(2, "GET"), asked(3)], False),
        ([asked(1), asked(2, "GET", fault="500"), asked(3)], True),
        ([asked(1, fault="429"), asked(2)], False),
        ([asked(1), asked(2, "DELETE"), asked(3)], False),
        ([asked(1), asked(2, "GET", binding=None), asked(3)], False),
        ([asked(1), asked(2, "GET", binding=None, fault="500"), asked(3)], True),
        ([asked(1, "GET", binding=None), asked(2), asked(3)], True),
    ],
    ids=[
        "twice",
        "two keys",
        "one key",
        "other bytes",
        "one key, body unread",
        "two keys, body unread",
        "looked",
        "did not see",
        "was refused",
        "deleted between",
        "saw all",
        "did not see all",
        "looked before",
    ],
)
def test_a_create_that_is_repeated_on_a_guess_is_seen(lane, is_blind):
    assert judge.blind_creates(lane, {}).holds is not is_blind


def test_a_person_may_have_a_create_sent_again():
    assert judge.blind_creates([asked(1), asked(3)], {1: [2.0]}).holds


def test_a_create_is_its_objects_by_its_key_even_where_nobody_read_its_body():
    unread = asked(1, key="a", fault="reset unread").entry
    assert whose(unread, Audit(creates={"a": 7}), {}, {}) == 7


def test_of_two_equal_gets_the_one_that_may_be_untold_was_repeated():
    """The kept connection of the first was reset, and the answer to the second was cut: one attempt tells of both."""
    repeated, cut = asked(1, "GET", status=200, fault="reset done"), asked(1, "GET", status=200, fault="cut")
    attempt = replace(tried(1.0, outcome="retryable", status=None), method="GET", action="lookup")
    explained = explain([attempt], [repeated, cut])
    assert attempt.asked is cut
    assert not explained.wrong


def test_of_equal_requests_at_once_each_explains_its_own_attempt():
    """Which came first can't be told from two clocks."""
    first, second = tried(1.0, outcome="retryable", status=200), tried(1.05, outcome="done", status=200)
    well, strange = asked(1, "GET", status=200), asked(1, "GET", status=200, fault="html")
    attempts = [replace(one, method="GET", action="lookup") for one in (first, second)]
    match(attempts, [well, strange])
    assert [one.asked for one in attempts] == [strange, well]


def test_an_answer_that_came_as_it_was_sent_is_not_paired_with_one_that_was_cut():
    """They ask for the same, one soon after the other."""
    first, second = tried(1.0, outcome="gone", status=404), tried(1.03, outcome="retryable", status=None)
    whole, cut = asked(1, "GET", status=404), asked(1, "GET", status=404, fault="cut")
    attempts = [replace(one, method="GET", action="lookup") for one in (first, second)]
    match(attempts, [whole, cut])
    assert [one.asked for one in attempts] == [whole, cut]


def test_a_whole_list_is_not_paired_with_a_filtered_one_that_was_cut():
    """Only of the filtered one can be read for whom it was asked."""
    attempt = replace(tried(1.0, outcome="done", status=200), method="GET", action="lookup")
    whole, filtered = asked(1, "GET", status=200, binding=None), asked(1, "GET", status=200, fault="cut")
    match([attempt], [filtered, whole])
    assert attempt.asked is whole


@pytest.mark.parametrize(("outcome", "wrong"), [("retryable", 0), ("unknown", 1)], ids=["not sent", "not answered"])
def test_a_connection_that_nobody_took_in_time_needs_no_fault(outcome, wrong):
    attempt = replace(tried(1.0, outcome=outcome, status=None), seconds=1.1)
    assert len(explain([attempt], []).wrong) == wrong


def test_the_request_of_a_record_is_not_taken_for_one_of_its_list():
    attempt = replace(tried(1.0, outcome="done", status=200), method="GET", path="/posts/1", action="lookup")
    listed, got = asked(1, "GET", status=200), asked(1, "GET", status=200)
    got.entry = replace(got.entry, path="/posts/1")
    match([attempt], [listed, got])
    assert attempt.asked is got


def test_of_an_answer_that_came_too_late_the_path_is_not_known():
    late = replace(tried(1.0, outcome="done", status=200), method="PUT", path=LOST, action="update", answer=LOST)
    request = asked(1, "PUT", status=200)
    match([late], [request])
    assert late.asked is request


@pytest.mark.parametrize(("answer", "wrong"), [(LOST, 0), ("{}", 1)], ids=["after its claim was lost", "in time"])
def test_a_delete_whose_answer_came_late_explains_that_its_record_is_gone(answer, wrong):
    delete, edit = tried(1.0, outcome="done", status=200), tried(2.0, outcome="gone", status=404)
    attempts = [
        replace(delete, method="DELETE", path="/posts/1", action="delete", answer=answer),
        replace(edit, method="PATCH", path="/posts/1", action="update"),
    ]
    requests = [asked(1, "DELETE", status=200, applied=True), asked(2, "PATCH", status=404)]
    for request in requests:
        request.entry = replace(request.entry, path="/posts/1")
    assert len(explain(attempts, requests).wrong) == wrong
