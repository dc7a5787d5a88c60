"""The engine's words stay English as keys, and are in the reader's language where they are shown."""

import pytest
from django.utils.translation import override

from syncer.core.state import Health, Question, State
from syncer.reports.words import label, legend, meaning, trigger


def test_in_english_a_word_is_shown_as_it_is():
    assert [label(word) for word in (*State, *Health, *Question)] == [*State, *Health, *Question]


@pytest.mark.parametrize("language", ["de", "fr"])
def test_every_state_is_shown_and_explained_in_the_readers_language(language):
    with override(language):
        shown = {word: (label(word), meaning(word)) for word in (*State, *Health)}
    assert [word for word, (name, text) in shown.items() if name == word or text == meaning(word)] == []


def test_a_legend_explains_the_words_as_the_page_shows_them():
    with override("de"):
        assert legend(["pending"]) == [(label(State.PENDING), meaning(State.PENDING))]
        assert legend(["pending"])[0][0] == "ausstehend"


def test_an_unknown_word_is_shown_as_it_is():
    with override("de"):
        assert (label("unheard of"), meaning("unheard of")) == ("unheard of", "")


@pytest.mark.parametrize(
    ("stored", "english", "german"),
    [
        ("manual", "by hand", "von Hand"),
        ("change", "at each change", "bei jeder Änderung"),
        ("every minute", "every minute", "jede Minute"),
        ("every 1 minute", "every minute", "jede Minute"),
        ("every 5 minutes", "every 5 minutes", "alle 5 Minuten"),
        ("every 2 days", "every 2 days", "alle 2 Tage"),
    ],
)
def test_when_a_route_syncs_is_said_in_the_readers_language(stored, english, german):
    assert trigger(stored) == english
    with override("de"):
        assert trigger(stored) == german
