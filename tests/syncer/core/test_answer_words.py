import json

import pytest

from backoffice.kit.phrases import phrase
from syncer.core.answer_words import MOST, complaints, in_words, lines, lines_of, reason_in_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"title": ["is taken"]}', "title: is taken"),
        ('{"errors": {"title": "is taken", "body": null}, "status": 422}', "errors, title: is taken; status: 422"),
        ('["too long", "too old"]', "too long too old"),
        ('[{"msg": "no"}]', "msg: no"),
        ('"refused"', '"refused"'),
        ("Not allowed: go away", "Not allowed: go away"),
        ('{"title": ["is ta', '{"title": ["is ta'),
        ("", ""),
        ("{}", ""),
    ],
)
def test_json_is_told_in_words_and_all_else_as_it_is(text, words):
    assert in_words(text) == words


def test_a_reason_keeps_what_comes_before_the_answer():
    answered = phrase("answered %(status)s", status=422, quoted='{"title": ["is taken"]}')
    assert reason_in_words(answered) == "answered 422: title: is taken"
    assert reason_in_words(phrase("%(why)s; asked again", why=answered)) == "answered 422: title: is taken; asked again"
    assert reason_in_words("answered 500: Oops: no") == "answered 500: Oops: no"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [('{"title": ["is taken"]}', [("title", "is taken")]), ("Go away", [("", "Go away")]), (" ", []), ("{}", [])],
)
def test_an_answer_is_told_line_by_line(answer, expected):
    assert lines_of(answer) == expected


def test_a_long_answer_is_cut():
    assert len(lines([{"n": number} for number in range(1, 100)])) == MOST + 1
    assert lines({str(number): number for number in range(1, 25)})[-1] == ("", "and 4 more")


@pytest.mark.parametrize(
    "answer",
    [
        {"title": ["is taken"]},
        {"errors": {"title": ["is taken"]}},
        {"errors": [{"field": "title", "message": "is taken"}]},
        {"detail": [{"loc": ["body", "title"], "msg": "is taken", "type": "value_error"}]},
        {"errors": [{"source": {"pointer": "/data/attributes/title"}, "detail": "is taken"}]},
        {"errors": [{"property": "post.title", "message": "is taken"}, {"property": "other", "message": "no"}]},
    ],
    ids=str,
)
def test_what_is_said_of_a_field_is_found(answer):
    assert complaints(json.dumps(answer), ["title", "body"]) == {"title": "is taken"}


@pytest.mark.parametrize(
    "answer", ["", "no", "[]", "null", '{"title": []}', "[" * 10_000, '{"a": {"b": {"c": {"e": {"d": 1}}}}}']
)
def test_what_says_nothing_of_a_field_is_no_complaint(answer):
    assert complaints(answer, ["title", "d"]) == {}
