"""Phrases: stored in English, said in the language of whoever reads them."""

import copy
import pickle
from datetime import UTC, datetime

import pytest
from django.template import Context, Template
from django.utils.translation import override

from backoffice.kit.phrase_field import PhraseField, StoredPhrase, localized
from backoffice.kit.phrases import MADE_MOST, TEXT_MOST, Phrase, counted, either, joined, mapped, message_of, phrase

COLUMN = PhraseField()
HELD = "more than %(free)s and more than %(percent)s %% of the %(held)s records"
AT = datetime(2026, 11, 30, 14, 5, 9, tzinfo=UTC)
REFUSED = phrase("answered %(status)s", status=422, quoted="100 % <b>blank</b>")
NESTED = joined(
    [phrase("%(target)s %(why)s", target="Fake API", why=REFUSED), phrase("next try in %(seconds)s s", seconds=4)], "; "
)
PHRASES = [
    (phrase("refused the connection"), "refused the connection", "hat die Verbindung abgelehnt"),
    (REFUSED, "answered 422: 100 % <b>blank</b>", "hat mit 422 geantwortet: 100 % <b>blank</b>"),
    (
        NESTED,
        "Fake API answered 422: 100 % <b>blank</b>; next try in 4 s",
        "Fake API hat mit 422 geantwortet: 100 % <b>blank</b>; nächster Versuch in 4 s",
    ),
    (
        phrase(HELD, free=20, percent=10, held=12345),
        "more than 20 and more than 10 % of the 12345 records",
        "mehr als 20 und mehr als 10 % der 12\N{NARROW NO-BREAK SPACE}345 Datensätze",
    ),
]  # fmt: skip


def through_the_column(text: str) -> str:
    """Return a text as it comes back from the database."""
    restored = COLUMN.from_db_value(COLUMN.get_prep_value(text), None, None)
    assert restored is not None
    return restored


@pytest.mark.parametrize(("made", "english", "german"), PHRASES)
def test_a_stored_phrase_is_english_to_programs_and_the_readers_to_pages(made, english, german):
    read = through_the_column(made)
    assert (str(made), str(read), localized(read)) == (english, english, localized(made))
    with override("de"):
        assert localized(read) == localized(made) == german


def test_a_template_says_a_stored_phrase_in_the_readers_language_and_escapes_it():
    context = Context({"why": through_the_column(REFUSED)})
    with override("fr"):
        assert Template("{{ why }}").render(context) == "a répondu 422: 100 % &lt;b&gt;blank&lt;/b&gt;"


@pytest.mark.parametrize("number", [1, 5])
def test_a_number_of_things_has_the_readers_plural_and_groups(number):
    kept = counted(
        "%(number)s change is kept", "%(number)s changes are kept", number=number * 1000 if number > 1 else 1
    )
    said = {
        1: ("1 change is kept", "1 Änderung bleibt erhalten"),
        5: ("5000 changes are kept", "5\N{NARROW NO-BREAK SPACE}000 Änderungen bleiben erhalten"),
    }
    with override("de"):
        assert (str(kept), localized(through_the_column(kept))) == said[number]


def test_the_column_begins_with_the_english_text_for_searches():
    assert COLUMN.get_prep_value(REFUSED).startswith("answered 422: 100 %")
    assert COLUMN.get_prep_value("") == ""


@pytest.mark.parametrize("text", ["", "said by somebody", 'said\x1e{"t": "refused the connection"}'])
def test_a_text_of_others_is_stored_as_it_is_and_never_taken_for_a_phrase(text):
    assert type(through_the_column(text)) is str
    assert through_the_column(text) == text.replace("\x1e", " ")


def test_a_phrase_that_is_too_long_is_cut_and_a_long_making_leaves_the_english_text():
    assert len(through_the_column("x" * 9999)) == TEXT_MOST
    long = phrase("answered %(status)s", status=500, quoted="x" * MADE_MOST)
    assert through_the_column(long) == str(long)[:TEXT_MOST]
    cut = COLUMN.get_prep_value(REFUSED)[:-3]
    assert COLUMN.from_db_value(cut, None, None) == "answered 422: 100 % <b>blank</b>"


def test_a_moment_is_shown_in_the_readers_format():
    waits = phrase("%(target)s asked us to wait until %(at)s: it %(why)s", target="API", at=AT, why=REFUSED)
    assert str(waits).startswith("API asked us to wait until 2026-11-30 14:05:09 UTC: it answered 422")
    assert localized(through_the_column(waits)).startswith("API asked us to wait until 2026-11-30 14:05:09: it")


def test_only_what_others_said_is_changed_and_left_out():
    assert mapped(NESTED, str.upper) == "FAKE API answered 422: 100 % <B>BLANK</B>; next try in 4 s"
    assert mapped("raw", str.upper) == "RAW"
    assert NESTED.unquoted(str.lower) == "fake api answered 422; next try in 4 s"
    assert type(StoredPhrase("a", {}).unquoted(str)) is StoredPhrase


def test_a_part_is_left_out_by_its_template():
    whole = joined([phrase("%(why)s", why=REFUSED), phrase("next try in %(seconds)s s", seconds=4)])
    assert whole.without("next try in %(seconds)s s") == "answered 422: 100 % <b>blank</b> "


def test_phrases_are_copied_and_compared_like_texts():
    for made in (copy.deepcopy(NESTED), pickle.loads(pickle.dumps(NESTED))):
        assert (made, made.values) == (NESTED, NESTED.values)
    assert message_of(ValueError(REFUSED)) is REFUSED
    assert type(message_of(ValueError("raw"))) is str
    assert either(["A", "B", "C"]) == "A or B or C"
    assert (either([]), either(["A"])) == ("", "A")
    assert isinstance(joined(["", "a"]), Phrase)


def test_nothing_joined_is_nothing():
    nothing = joined(["", ""])
    with override("de"):
        assert (str(nothing), localized(nothing), COLUMN.get_prep_value(nothing)) == ("", "", "")
