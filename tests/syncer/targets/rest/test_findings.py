"""What one page of a list says of the route: what looks wrong, with its cure, and what is worth knowing."""

import json
from typing import Any

import pytest

from syncer.core.answers import Answers
from syncer.core.decide import Terms
from syncer.core.outcome import Exchange, Silence
from syncer.targets.previews import Severity
from syncer.targets.rest.endpoint import Endpoint
from syncer.targets.rest.findings import judge

POST: dict[str, Any] = {"id": 1, "title": "A", "body": "B"}


def endpoint(**columns: Any) -> Endpoint:
    names = {"id": "id", "items": "", "names": frozenset({"title", "body"})}
    answers = Answers(**{name: columns.pop(name, value) for name, value in names.items()})
    return Endpoint(
        url="https://api.example.com", terms=Terms(path="/posts", lookup=("title",)), answers=answers, **columns
    )


def listed(answer: Any = None, *, status: int = 200, body: bytes | None = None, **headers: str) -> Exchange:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Exchange(status=status, body=json.dumps(answer).encode() if body is None else body, headers=named)


def posts(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{**POST, **fields, "id": number} for number in range(1, count + 1)]


def without(*names: str, **fields: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in {**POST, **fields}.items() if name not in names}]


@pytest.mark.parametrize(
    ("exchange", "columns", "text", "column"),
    [
        (listed(without("id", _id="a5")), {}, "has no readable 'id'; it has '_id': set 'id' to that", "id_field"),
        (listed([{"name": "x", "title": "A", "body": "B"}]), {}, "it has: name, title, body", "id_field"),
        (listed([{"attributes": {"id": 5}, **without("id")[0]}]), {}, "it has 'attributes.id'", "id_field"),
        (listed([*posts(2), *without("id")]), {}, "1 of 3 records has no readable 'id'", "id_field"),
        (listed([POST, POST]), {}, "Several of its records have the same 'id'", "id_field"),
        (listed({"data": posts(2)}), {}, "its records are under 'data': set 'items' to that", "items_field"),
        (listed({"tags": ["a"], "result": {"rows": posts(1)}}), {}, "under 'result.rows'", "items_field"),
        (listed(posts(2)), {"items": "data"}, "The answer is the list itself: leave 'items' empty", "items_field"),
        (listed({"items": posts(1)}), {"items": "data"}, "There is no list under 'data'", "items_field"),
        (listed({"message": "hello"}), {}, "The answer is not a list, and has none in it; it has: message", "path"),
        (listed(["a"]), {}, "It lists no records, but values of the type str", "items_field"),
        (listed(without("title", titel="A")), {}, "'title'; it shows: id, body, titel. 'titel' may be", "fields"),
        (listed(without("title")), {}, "Records are recognized by it: it is in the lookup.", "fields"),
        (listed([{"id": 1, "attributes": POST}]), {}, "'attributes.body' may be meant", "fields"),
        (listed(posts(1)), {"constants": frozenset({"type"})}, "does not show the field 'type'", "constants"),
        (listed(posts(10), x_total_count="25"), {}, "X-Total-Count says 25, 10 came and no next page", "paging"),
        (listed({"d": posts(2), "total": 9}), {"items": "d"}, "The answer says 9, 2 came", "paging"),
        (listed({"d": posts(2), "meta": {"next": "abc"}}), {"items": "d"}, "in 'meta.next': set 'next'", "next_field"),
        (listed({"d": posts(2), "nextPageToken": "x"}), {"items": "d"}, "in 'nextPageToken'", "next_field"),
        (
            listed({"d": posts(2), "_links": {"next": {"href": "/posts?page=2"}}}),
            {"items": "d"},
            "in '_links.next.href'",
            "next_field",
        ),
        (listed(posts(2), next_page="https://api.example.com/posts?p=2"), {}, "'page_name' to 'Next-Page'", "paging"),
        (listed(posts(2), x_next_page="2"), {}, "set 'paging' to 'page'", "paging"),
        (listed(posts(2), link='</posts?p=2>; rel="next"'), {"paging": "header"}, "set 'paging' to 'link'", "paging"),
        (listed(posts(2), link='<https://b.example/p>; rel="next"'), {}, "next page on another host", "paging"),
        (listed(status=404), {}, "/posts answered 404, so there is nothing at that address", "path"),
        (listed(status=401), {}, "The sign-in was refused (401)", "auth"),
        (listed(status=403), {}, "the account may not list the records", "path"),
        (listed(status=405), {}, "records are not listed there", "path"),
        (listed(status=301, location="https://api.example.com/posts/"), {}, "leads to https://api.example.com", "path"),
        (listed(status=429), {}, "It answered 429", ""),
        (listed("gone wrong", status=500), {}, 'it answered 500: "gone wrong"', ""),
        (listed(body=b"<html>", content_type="text/html; charset=utf-8"), {}, "than JSON (text/html)", "path"),
        (listed(body=b""), {}, "without a body", "path"),
        (listed({"success": False, "errors": ["no"]}), {}, "It answered 200, but with errors", ""),
        (Exchange(silence=Silence.NOT_SENT, why="refused the connection"), {}, "the target refused the conn", ""),
    ],
    ids=range(35),
)
def test_what_looks_wrong_is_said_with_its_cure_and_the_column_to_change(exchange, columns, text, column):
    findings = [one for one in judge(exchange, endpoint(**columns)).findings if one.severity is Severity.WRONG]
    assert [one.column for one in findings if text in one.text] == [column], findings


@pytest.mark.parametrize(
    ("answer", "items"),
    [(posts(2), ""), ({"data": posts(2)}, "data"), ({"tags": [], "data": posts(2)}, ""), (posts(2), "data")],
)
def test_the_first_record_is_shown_wherever_it_is(answer, items):
    assert judge(listed(answer), endpoint(items=items)).record == {**POST, "id": 1}


@pytest.mark.parametrize(
    ("exchange", "columns", "severity", "text"),
    [
        (listed(posts(3)), {}, Severity.FINE, "It lists 3 records, each with its 'id' and the fields that are sent"),
        (listed([]), {}, Severity.NOTE, "It lists no record yet"),
        (listed(posts(2), link='</posts?p=2>; rel="next"'), {}, Severity.NOTE, "names a next page, which is followed"),
        (listed(posts(20)), {}, Severity.NOTE, "20 records came, and nothing says whether there are more"),
        (
            listed(posts(2), x_total_count="5"),
            {"paging": "page", "page_name": "page"},
            Severity.NOTE,
            "2 records came; X-Total-Count says 5. 'page' is counted up until a page is empty",
        ),
    ],
    ids=range(5),
)
def test_what_is_worth_knowing_does_not_look_wrong(exchange, columns, severity, text):
    findings = judge(exchange, endpoint(**columns)).findings
    assert [one.severity for one in findings if text in one.text] == [severity], findings
    assert Severity.WRONG not in [one.severity for one in findings]


@pytest.mark.parametrize(
    ("exchange", "columns", "settings"),
    [
        (listed(without("id", _id="a5")), {}, {"id_field": "_id"}),
        (listed({"data": posts(2)}), {}, {"items_field": "data"}),
        (listed(posts(2)), {"items": "data"}, {"items_field": ""}),
        (
            listed({"d": posts(2), "next": "https://api.example.com/posts?p=2"}),
            {"items": "d"},
            {"paging": "link", "page_name": "", "next_field": "next"},
        ),
        (
            listed({"d": posts(2), "meta": {"next": "abc"}}),
            {"items": "d"},
            {"paging": "cursor", "page_name": "", "next_field": "meta.next"},
        ),
        (
            listed(posts(2), x_next_page="2"),
            {},
            {"paging": "page", "next_field": ""},
        ),
        (listed({"message": "hello"}), {}, {}),
    ],
)
def test_a_finding_with_a_known_cure_has_the_columns_that_cure_it(exchange, columns, settings):
    assert settings in [one.settings for one in judge(exchange, endpoint(**columns)).findings]
