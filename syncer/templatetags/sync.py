"""`{% chip state %}` is a word of the engine in its colour; `{% legend "pending parked" %}` says what words mean."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from syncer.reports import reading, words
from syncer.reports.silent import silent_left

register = template.Library()


@register.simple_tag
def chip(word: str, text: str = "") -> SafeString:
    return words.chip(word, text)


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


@register.inclusion_tag("syncer/silent_writes.html", takes_context=True)
def silent_writes(context: Any) -> dict[str, Any]:
    """What the last looks found and nobody recorded, for those who may see it."""
    return {"checks": silent_left(context["request"].user)}
