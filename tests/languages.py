"""Finds what a page says in English to somebody who reads another language."""

import re
from collections.abc import Iterable
from html.parser import HTMLParser

import pytest

from backoffice.accounts.models import User
from backoffice.kit.phrases import Phrase
from syncer.core.answer_words import in_words
from syncer.models import Attempt, Binding, Route
from tests.backoffice.accounts.people import account
from tests.content.pages import browser

# A text that can be translated into one language is in all catalogues: `make catalogues` sees to it.
LANGUAGES = ["de", pytest.param("fr", marks=pytest.mark.thorough)]
WORD = re.compile(r"\b[A-Za-z]{2,}\b")
NAME = re.compile(r"\S*\w[.@/:]+\w\S*")  # news.Post, application/json, https://api.example.com
NAMES = {"OAuth 2 client credentials", "| Back office"}  # of a standard, and of the site
CODE = ("script", "style", "code", "pre")
SAID = ("title", "aria-label", "placeholder", "data-label", "alt")


class Shown(HTMLParser):
    """Collects what a page shows: its texts and tooltips, but no code."""

    def __init__(self) -> None:
        super().__init__()
        self.texts, self.code = set[str](), 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.code += tag in CODE
        for name, text in attrs:
            if name in SAID:
                self.handle_data(text or "")

    def handle_endtag(self, tag: str) -> None:
        self.code -= tag in CODE

    def handle_data(self, data: str) -> None:
        if not self.code:
            self.texts.add(" ".join(data.split()))


def stored() -> set[str]:
    """Return what people and targets said, in whatever language; and names of fields."""
    columns = ((Binding, "held_why"), (Attempt, "answer"))
    found = {text for model, name in columns for text in model.objects.values_list(name, flat=True) if text}
    texts = {text for text in found if not isinstance(text, Phrase)}
    routes = {text for route in Route.objects.all() for text in (str(route), ", ".join(route.fields))}
    kept = texts | routes | {*map(in_words, texts)} | NAMES
    return {" ".join(text.lower().split()) for text in kept if len(text) > 5}


def sentences(page: str) -> set[str]:
    """Return what a page shows in three words or more, but for what is stored."""
    shown, kept = Shown(), stored()
    shown.feed(page)
    return {
        text
        for text in shown.texts
        if len(WORD.findall(NAME.sub("", text))) > 2
        and not any(part in text.lower() or text.lower() in part for part in kept)
    }


def left_in_english(addresses: Iterable[str], language: str, data: dict[str, str] | None = None) -> dict[str, set[str]]:
    """Return by address the sentences that a page shows in this language as in English; by POST where data is given."""
    readers = [_reader("english", "en"), _reader("other", language)]
    left = {}
    for address in addresses:
        answers = [client.get(address) if data is None else client.post(address, data) for client in readers]
        assert {answer.status_code for answer in answers} == {200}, address
        if texts := set.intersection(*(sentences(answer.content.decode()) for answer in answers)):
            left[address] = texts
    return left


def _reader(name: str, language: str):
    user = User.objects.filter(username=name).first()
    return browser(user or account(name, is_superuser=True, language=language))
