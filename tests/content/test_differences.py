import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.base import differences
from content.base.differences import as_html, segments


@pytest.mark.parametrize(
    ("old", "new", "pieces"),
    [
        ("Title", "Title two", [("span", "Title"), ("ins", " two")]),
        ("Shipped", "Delivered", [("del", "Shipped"), ("ins", "Delivered")]),
        ("gray, and so on", "grey, and so on", [("del", "gray"), ("ins", "grey"), ("span", ", and so on")]),
        ("12:00:00", "13:00:00", [("del", "12"), ("ins", "13"), ("span", ":00:00")]),
        ("one two three", "four five six", [("del", "one two three"), ("ins", "four five six")]),
        ("", "new", [("ins", "new")]),
        ("", "", []),
    ],
)
def test_texts_are_compared_word_by_word(old, new, pieces):
    assert list(segments(old, new)) == pieces


TEXTS = st.lists(st.sampled_from(["a", "bc", " ", "\n", ",", "é", "\ud800"])).map("".join)


@given(old=TEXTS, new=TEXTS)
def test_the_pieces_are_both_texts(old, new):
    pieces = list(segments(old, new))
    assert "".join(text for tag, text in pieces if tag != "ins") == old
    assert "".join(text for tag, text in pieces if tag != "del") == new


def test_a_long_text_is_compared_in_bounded_time():
    words = [f"w{number % 500}" for number in range(20_000)]
    began = time.monotonic()
    list(segments(" ".join(words), " ".join(reversed(words))))
    assert time.monotonic() - began < 20 * differences.SECONDS


def test_texts_beyond_the_limit_are_shown_one_after_the_other():
    old, new = "a " * differences.LONGEST, "a "
    assert list(segments(old, new)) == [("del", old), ("ins", new)]


def test_the_texts_are_escaped():
    assert as_html("<b>", "<i>") == (
        '<span class="difference"><span>&lt;</span><del>b</del><ins>i</ins><span>&gt;</span></span>'
    )
