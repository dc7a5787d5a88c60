"""HTML fragments that pages of several packages share."""

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify


def chip(word: str, text: str = "", *, meaning: str = "") -> SafeString:
    """Return a state's `word` in its color, with its meaning as a tooltip; `text` is shown in place of the word."""
    return format_html('<span class="sync-chip sync-{}" title="{}">{}</span>', slugify(word), meaning, text or word)
