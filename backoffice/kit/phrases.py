"""Phrases: texts that the program makes in English, and that people of any language read later.

A `Phrase` is the English text, for logs, the API and commands, and knows its template and values: those are stored
with it, so that a page says the same in its reader's language (`phrase_field.py`). The template is the key of its
translation: `make messages` finds it as the first argument of `phrase` and `counted`. The words of other people and
programs are quoted, or are values, and stay as they are.

This module is pure: `syncer.core` makes phrases.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Self, TypeVar

Value = str | int | datetime  # a str may be a phrase too
TEXT_MOST = 2000  # characters of a text as it is stored
MADE_MOST = 4096  # characters of what it was made of; beyond them the text alone is stored, in English
MARK = "\x1e"  # the record separator: between a stored text and what it was made of


class Phrase(str):
    """An English text that can be said in another language.

    Attributes:
        template: the English text with placeholders: `answered %(status)s`.
        plural: the same for any number but one; empty where there is nothing to count.
        number: what is counted.
        values: of the placeholders.
        quoted: the words of somebody else that follow the text.
    """

    template: str
    plural: str
    number: int
    values: Mapping[str, Value]
    quoted: str

    def __new__(
        cls, template: str, values: Mapping[str, Value], *, plural: str = "", number: int = 0, quoted: str = ""
    ) -> Self:
        filled = (plural if plural and number != 1 else template) % {name: _text(one) for name, one in values.items()}
        self = super().__new__(cls, with_quote(filled, quoted))
        self.template, self.plural, self.number, self.values, self.quoted = template, plural, number, values, quoted
        return self

    def __getnewargs_ex__(self) -> tuple[Any, ...]:
        """Return what a copy is made of."""
        return (self.template, self.values), {"plural": self.plural, "number": self.number, "quoted": self.quoted}

    def map(self, change: Callable[[str], str]) -> Self:
        """Return the phrase with each text that is not the program's own changed."""
        values = {name: mapped(one, change) if isinstance(one, str) else one for name, one in self.values.items()}
        return self._with(values, change(self.quoted))

    def unquoted(self, change: Callable[[str], str]) -> Self:
        """Return the phrase without what it quotes; `change` does the same to a text that is no phrase."""
        values = {
            name: without_quotes(one, change) if isinstance(one, str) else one for name, one in self.values.items()
        }
        return self._with(values, "")

    def without(self, template: str) -> Self:
        """Return the phrase without the parts that were made of this template."""
        values = {
            name: _left_of(one, template) if isinstance(one, Phrase) else one for name, one in self.values.items()
        }
        return self._with(values, self.quoted)

    def _with(self, values: Mapping[str, Value], quoted: str) -> Self:
        return type(self)(self.template, values, plural=self.plural, number=self.number, quoted=quoted)


P = TypeVar("P", bound=Phrase)


def phrase(template: str, *, quoted: str = "", **values: Value) -> Phrase:
    """Return a phrase: `phrase("answered %(status)s", status=422, quoted="title is blank")`."""
    return Phrase(template, values, quoted=quoted)


def counted(one: str, many: str, *, number: int, shown: Value | None = None, **values: Value) -> Phrase:
    """Return a phrase about a number of things: `counted("%(number)s change", "%(number)s changes", number=5)`.

    Args:
        shown: what is shown in place of the number: "more than 10,000".
    """
    return Phrase(one, {**values, "number": number if shown is None else shown}, plural=many, number=number)


def joined(parts: Iterable[str], separator: str = " ") -> Phrase:
    """Return the texts that are not empty, one after the other."""
    named = {f"part{place}": part for place, part in enumerate(filter(None, parts))}
    return Phrase(separator.join(f"%({name})s" for name in named), named)


def either(names: Iterable[str]) -> str:
    """Return `A or B`."""
    *before, last = [*names] or [""]
    return phrase("%(before)s or %(last)s", before=either(before), last=last) if before else last


def message_of(error: Exception) -> str:
    """Return an error's message, as the phrase that it may be."""
    first = error.args[0] if error.args else ""
    return first if isinstance(first, Phrase) else str(error)


def mapped(text: str, change: Callable[[str], str]) -> str:
    """Return a text, or each of a phrase's texts that are not the program's own, changed."""
    return text.map(change) if isinstance(text, Phrase) else change(text)


def without_quotes(text: str, change: Callable[[str], str]) -> str:
    """Return a phrase without what it quotes; of any other text, what `change` makes of it."""
    return text.unquoted(change) if isinstance(text, Phrase) else change(text)


def with_quote(text: str, quoted: str) -> str:
    return f"{text}: {quoted}" if quoted else text


def stored(text: str) -> str:
    """Return a text as a column holds it: a phrase with what it was made of behind it."""
    kept = text.replace(MARK, " ")[:TEXT_MOST]
    if not (isinstance(text, Phrase) and text):
        return kept
    made = json.dumps(_parts(text), ensure_ascii=False, separators=(",", ":"), sort_keys=True).replace(MARK, " ")
    return kept if len(made) > MADE_MOST else f"{kept}{MARK}{made}"


def english(column: str) -> str:
    """Return the English text that a column, or its beginning, holds."""
    return column.partition(MARK)[0]


def restored(column: str, kind: type[P]) -> str:
    """Return the text that a column holds, as a phrase of this kind where it was stored as one."""
    text, mark, made = column.partition(MARK)
    if not mark:
        return text
    try:
        return _made_of(json.loads(made), kind)
    except (ValueError, KeyError, TypeError):  # it was cut, or written by another version
        return text


def _left_of(text: Phrase, template: str) -> str:
    return "" if text.template == template else text.without(template)


def _text(value: Value) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S %Z}" if isinstance(value, datetime) else str(value)


def _parts(text: Phrase) -> dict[str, Any]:
    values = {
        name: _parts(one) if isinstance(one, Phrase) else {"at": one.isoformat()} if isinstance(one, datetime) else one
        for name, one in text.values.items()
    }
    parts = {"t": text.template, "p": text.plural, "n": text.number, "v": values, "q": text.quoted}
    return {name: part for name, part in parts.items() if part}


def _made_of(parts: dict[str, Any], kind: type[P]) -> P:
    values = {name: _value(part, kind) for name, part in parts.get("v", {}).items()}
    return kind(
        parts["t"],
        values,
        plural=parts.get("p", ""),
        number=parts.get("n", 0),
        quoted=parts.get("q", ""),
    )


def _value(part: Any, kind: type[P]) -> Value:
    if not isinstance(part, dict):
        return part  # type: ignore[no-any-return]
    return datetime.fromisoformat(part["at"]) if "at" in part else _made_of(part, kind)
