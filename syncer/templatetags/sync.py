"""Template tags: `{% chip state %}` colors a word of the engine; `{% legend "pending, rejected" %}` explains words."""

import json
from datetime import timedelta

from django import template
from django.template import Context
from django.utils.safestring import SafeString

from backoffice.kit import ui
from backoffice.kit.phrase_field import localized
from syncer.core import answer_words
from syncer.reports import reading, words, workers

register = template.Library()


@register.simple_tag
def chip(word: str, text: str = "") -> SafeString:
    return ui.chip(word, text or words.label(word), meaning=words.meaning(word))


@register.simple_tag(takes_context=True)
def headline(context: Context, sentence: object) -> str:
    """Return the sentence as the current person may read it: `{% headline run.message %}`."""
    return reading.headline(context["request"], sentence)


@register.simple_tag(takes_context=True)
def object_shown(context: Context, label: str, key: str) -> reading.Shown:
    """Return an object's name, title and page as far as the current person may see them."""
    return reading.shown(context["request"], label, key)


@register.filter
def duration(length: timedelta | None) -> str:
    """Return a length of time as people read it: `4 s`, `3 min 20 s`; empty where there is none."""
    return "" if length is None else words.spelled(length)


@register.simple_tag
def no_worker() -> str:
    return workers.missing_hint()


@register.filter
def meaning(word: str) -> str:
    return words.meaning(word)


@register.filter
def label(word: str) -> str:
    """Return one of the engine's words in the reader's language."""
    return words.label(word)


@register.filter
def plural(label: str) -> str:
    """Return what a model's objects are called: `Posts` of `news.Post`."""
    return reading.plural(label)


@register.filter
def named(obj: str) -> str:
    """Return an object's name as people read it: `Post 5` of `news.Post:5`."""
    return reading.named(*obj.split(":", 1))


@register.filter
def trigger(text: str) -> str:
    """Return when a route syncs, as people read it: `{{ route.trigger|trigger }}`."""
    return words.trigger(text)


@register.filter
def in_words(text: str) -> str:
    """Return an answer of a target with its JSON as words: `title: is taken`."""
    return localized(answer_words.in_words(text))


@register.filter
def shown(value: object) -> str:
    """Return a JSON value as people read it: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@register.filter
def indented(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


@register.inclusion_tag("syncer/legend.html")
def legend(listed: str) -> dict[str, object]:
    """Explain the words in `listed`, separated by commas."""
    return {"legend": words.legend(word.strip() for word in listed.split(","))}
