"""Finding a person's words in what other stores keep."""

import json
import os
from urllib.parse import quote

import pytest

from backoffice.kit.erasers import files
from backoffice.kit.erasure import ERASED, Words

LINES = "First line\r\nand \U0001f600 second line"
WORDS = Words(names=["client-7"], texts=["My “blue”\numbrella is lost.", "Yes.", "x" * 500, LINES])


@pytest.mark.parametrize(
    "text",
    [
        "client-7",
        "of client-7, who",
        '{"who": "client-7"}',
        "/clients/client%2D7/",
        "he said: My “blue”\numbrella is lost. And",
        "My “blue”\r\numbrella is lost.",
        json.dumps("My “blue”\numbrella is lost."),
        json.dumps({"say": "My “blue”\numbrella is lost."}, ensure_ascii=False),
        quote("My “blue”\numbrella is lost."),
        "My &#8220;blue&#8221;\numbrella is lost.",
        "x" * 100,
        json.dumps(LINES),
        quote(LINES),
        "<t>First line_x000D_\nand \U0001f600 second line</t>",
    ],
    ids=range(14),
)
def test_the_words_are_found_however_they_are_written(text):
    assert WORDS.are_in(text)


@pytest.mark.parametrize(
    "text", ["", "client-77", "client-8", "my umbrella", "Yes.", "x" * 63, "My “blue”\numb"], ids=range(7)
)
def test_other_words_are_not_taken_for_them(text):
    assert not WORDS.are_in(text)


@pytest.mark.parametrize("name", ["a", "the", "42", "2026"])
def test_a_name_that_stands_in_everybodys_texts_counts_as_a_whole_value_only(name):
    words = Words(names=[name], texts=[])
    for text in (f"He said {name} to me.", f"/posts/{name}/", f'{{"id": {name}}}', f'"{name}-01-05"', f"x{name},"):
        assert not words.are_in(text), text
    for text in (name, f'{{"who": "{name}"}}', f"5,to,{name},x", f"<t>{name}</t>", f"/messages/?client={name}&order=x"):
        assert words.are_in(text), text


def test_a_database_can_look_for_each_spelling_of_a_name():
    words = Words(names=["a é/b"], texts=[])
    assert words.spellings == {"a é/b", "a \\u00e9/b", "a%20%C3%A9/b", "a%20%C3%A9%2Fb", "a+%C3%A9%2Fb"}


def test_an_excerpt_may_end_in_the_middle_of_a_text():
    assert WORDS.are_in("answered 422: My “blue”\numb", cut=True)


def test_json_keeps_its_shape():
    value = {"n": 7, "who": "client-7", "list": ["a", "by client-7"], "no": None, "client-7": True}
    assert WORDS.erased(value) == {"n": 7, "who": ERASED, "list": ["a", ERASED], "no": None, ERASED: True}


def test_a_text_that_is_json_is_erased_from_within():
    assert json.loads(WORDS.erased('{"id": 1, "who": "client-7"}')) == {"id": 1, "who": ERASED}


def test_a_text_that_is_not_json_is_erased_whole():
    assert WORDS.erased("{client-7 said") == ERASED


def test_many_texts_are_found_as_quickly_as_few():
    texts = [f"The same beginning, and then number {number}" for number in range(100_000)]
    words = Words(names=["nobody"], texts=texts)
    assert words.are_in("a" * 100_000 + texts[-1])
    assert not words.are_in("The same beginning" * 5_000)


def test_a_file_in_which_they_are_not_is_read_once_until_it_changes(tmp_path, settings):
    """The second search is in a transaction, during which SQLite has no other writer."""
    settings.VAR_DIR = tmp_path
    words, file = Words(names=["client-7"], texts=[]), tmp_path / "uploads" / "waiting"
    file.parent.mkdir()
    file.write_text("nothing1")
    assert files(words) == 0
    time = file.stat().st_mtime_ns
    file.write_text("client-7")
    os.utime(file, ns=(time, time))
    assert files(words) == 0
    os.utime(file, ns=(time, time + 1))
    assert files(words) == 1
    assert not file.exists()
