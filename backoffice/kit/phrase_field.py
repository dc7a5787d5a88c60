"""The column of phrases, and how a page says them: see `phrases.py`."""

from datetime import datetime
from typing import Any

from django.db import models
from django.utils.html import escape
from django.utils.translation import gettext, ngettext

from backoffice.kit import moments
from backoffice.kit.numbers import grouped
from backoffice.kit.phrases import Phrase, Value, restored, stored, with_quote


class StoredPhrase(Phrase):
    """A phrase as it comes from the database: where HTML is made of it, it speaks the reader's language."""

    def __html__(self) -> str:
        return escape(localized(self))


class PhraseField(models.TextField):  # type: ignore[type-arg]
    """A column of texts in English, with what they were made of.

    The English text comes first, so that conditions with `contains` find it. Longer texts are cut.
    """

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        return None if value is None else restored(value, StoredPhrase)

    def get_prep_value(self, value: Any) -> Any:
        return stored(value) if isinstance(value, str) else super().get_prep_value(value)


def localized(text: str) -> str:
    """Return a text in the reader's language if it is a phrase, else as it is."""
    if not (isinstance(text, Phrase) and text.template):  # of "", gettext returns the catalogue's header
        return text
    template = ngettext(text.template, text.plural, text.number) if text.plural else gettext(text.template)
    filled = template % {name: shown(value) for name, value in text.values.items()}
    return with_quote(filled, localized(text.quoted))


def shown(value: Value) -> str:
    """Return a value in the reader's language."""
    if isinstance(value, datetime):
        return moments.text(value)
    return grouped(value) if isinstance(value, int) else localized(value)
