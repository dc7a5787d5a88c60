"""Every text of a template goes through gettext: `{% translate %}`, `{% blocktranslate %}`, or Python."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.nodes import ROOT

PACKAGES = ("backoffice", "content", "syncer")
API_PAGES = "ninja"  # the folder of the API's description, which is English
# What is no text: comments, what is translated, code, and the names of icons and commands.
NOT_TEXT = [
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"\{#.*?#\}",
        r"\{% comment %\}.*?\{% endcomment %\}",
        r"\{% blocktranslate\b.*?\{% endblocktranslate %\}",
        r"<(script|style|svg|code)\b.*?</\1>",
        r'<span class="material-symbols-outlined[^>]*>.*?</span>',
    )
]
TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
ATTRIBUTE = re.compile(r'\b(?:title|alt|placeholder|aria-label|data-[a-z_-]+)="([^"]*)"')
ARGUMENT = re.compile(r'\b\w+="([^"]*)"')  # of a tag: `with message="None yet."`
FALLBACK = re.compile(r'(?:\|default(?:_if_none)?:|\{% firstof [^%]*)"([A-Za-z ,.]{2,})"')
WORDS = re.compile(r"[A-Z][a-z]+|[a-z]{2,} [a-z]{2,}")  # in an attribute or argument, which may be a name for programs
TEMPLATES = [
    path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("templates/**/*.html"))
    if API_PAGES not in path.parts
]


def bare_texts(source: str) -> Iterator[str]:
    """Yield what a template shows as it stands."""
    for pattern in NOT_TEXT:
        source = pattern.sub("", source)
    plain = TAG.sub("\0", source)
    tags = " ".join(TAG.findall(source))
    for text in (*ATTRIBUTE.findall(plain), *ARGUMENT.findall(tags)):
        if WORDS.search(text):
            yield text.strip("\0 ")
    yield from FALLBACK.findall(tags)
    for text in re.split(r"<[^>]*>|\0|\n", plain):
        if re.search(r"[A-Za-z]{2}", text):
            yield text.strip()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_text_of_a_template_is_translated(path: Path) -> None:
    assert [*bare_texts(path.read_text())] == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Nothing yet</p>",
        "<p>{{ number }} objects</p>",
        "<p>{% if done %}done{% else %}{% translate 'not done' %}{% endif %}</p>",
        '<td data-label="Last answer"></td>',
        '<a title="{{ name }} is gone">{{ name }}</a>',
        '{% include "info.html" with message="It has no history yet." %}',
        '{{ key|default:"not kept" }}',
        '{% firstof user "a program" %}',
    ],
)
def test_a_bare_text_is_noticed(source: str) -> None:
    assert [*bare_texts(source)]


@pytest.mark.parametrize(
    "source",
    [
        '<p class="sync-note">{% translate "Nothing yet" %}</p>',
        "<p>{% blocktranslate count n=n %}{{ n }} object{% plural %}{{ n }} objects{% endblocktranslate %}</p>",
        '<span class="material-symbols-outlined" aria-hidden="true">search</span>',
        "<code>manage.py migrate</code>{# A note for whoever edits this. #}",
        '<li data-count="{{ word }}" data-part="#result_list">{{ number }}</li>',
        '{% include "syncer/card.html" with linked=True %}{% if state == "in doubt" %}{{ key|default:"-" }}{% endif %}',
    ],
)
def test_what_is_no_text_is_left_alone(source: str) -> None:
    assert [*bare_texts(source)] == []
