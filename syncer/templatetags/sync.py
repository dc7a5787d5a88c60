"""`{% chip state %}` is a word of the engine in its colour; `{% legend "pending rejected" %}` says what words mean."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from backoffice.kit import ui
from syncer.reports import reading, words

register = template.Library()


@register.simple_tag
def chip(word: str, text: str = "") -> SafeString:
    return ui.chip(word, text, meaning=words.meaning(word))


@register.simple_tag(takes_context=True)
def headline(context: Any, text: str) -> str:
    """`{% headline run.message %}`: the sentence, as who looks may read it."""
    return reading.headline(context["request"], text)


@register.filter
def meaning(word: str) -> str:
    return words.meaning(word)


@register.inclusion_tag("syncer/legend.html")
def legend(listed: str) -> dict[str, Any]:
    """`listed`: words with commas between them."""
    return {"legend": words.legend(word.strip() for word in listed.split(","))}
