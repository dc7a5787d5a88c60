"""Erase a person's words from every store: `settings.ERASERS` names a function for each.

An eraser takes `Words` and returns the number of rows or files that it changed. Stores that hold the words as part of
something else, such as a kept answer or a file, are searched by content; a package that knows which rows belong to the
person erases those whole, without a search.
"""

import html
import json
import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus, unquote_plus

import orjson
from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils.module_loading import import_string

from backoffice.kit.batches import batched_rows

Row = TypeVar("Row", bound=Model)

ERASED = "[erased]"
SHORTEST = 8  # characters; a shorter text, "yes", identifies nobody and occurs in other people's words
SHORTEST_NAME, SHORTEST_NUMBER = 4, 7  # characters of a name that is found inside of other texts
BEGINNING = 64  # characters of a text that are searched for: copies are often cut
PAGE = 500  # rows read at a time
ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
SHEET_ESCAPE = re.compile(r"_x([0-9a-fA-F]{4})_")  # ECMA-376, part 1, section 22.9.2.19
ESCAPES = dict(zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True))


class Words:
    """The words to erase: names of the person, matched as whole words, and texts of theirs, matched anywhere.

    A name such as `a` or `2026` is a word in everybody's texts: it counts only where it is a whole value, such as a
    string in JSON, a cell, or a parameter of an address.

    The search costs one step per character searched, for any number of texts.
    """

    def __init__(self, *, names: Collection[str], texts: Iterable[str], clean: Iterable[Hashable] = ()) -> None:
        self.names = tuple(names)
        self.clean = {*clean}  # versions of files without the words, so that no file is searched twice
        self._names = re.compile("|".join(map(_pattern, self.names)))
        self._beginnings: dict[int, set[str]] = {}  # by their length
        for text in texts:
            if len(text) >= SHORTEST:
                beginning = _unbroken(text)[:BEGINNING]
                self._beginnings.setdefault(len(beginning), set()).add(beginning)
        self._starts = {text[:SHORTEST] for group in self._beginnings.values() for text in group}

    @property
    def spellings(self) -> set[str]:
        """The names as they are written in plain text, JSON and addresses, for a database to search for."""
        return {
            spelling
            for name in self.names
            for spelling in (name, json.dumps(name)[1:-1], quote(name), quote(name, safe=""), quote_plus(name))
        }

    def are_in(self, text: str, *, cut: bool = False) -> bool:
        """Return whether `text` holds any of the words: plain, in JSON, CSV or HTML, or in an address.

        Args:
            cut: `text` is an excerpt, which may end in the middle of a word.
        """
        return any(self._are_in(reading, cut=cut) for reading in _readings(text))

    def _are_in(self, text: str, *, cut: bool) -> bool:
        if self._names.search(text):
            return True
        for at in range(len(text) - SHORTEST + 1):
            if text[at : at + SHORTEST] in self._starts:
                lengths = self._beginnings.items()
                if cut or any(text[at : at + length] in group for length, group in lengths):
                    return True
        return False

    def erased(self, value: object, *, cut: bool = False) -> Any:
        """Return the JSON `value` with each text that holds the words replaced as a whole; JSON in texts, in place."""
        if isinstance(value, list):
            return [self.erased(item, cut=cut) for item in value]
        if isinstance(value, dict):
            return {self.erased(name): self.erased(item, cut=cut) for name, item in value.items()}
        if not isinstance(value, str) or not self.are_in(value, cut=cut):
            return value
        if value.lstrip()[:1] in ("{", "["):
            with suppress(orjson.JSONDecodeError):
                return orjson.dumps(self.erased(orjson.loads(value), cut=cut)).decode()
        return ERASED


def _pattern(name: str) -> str:
    """Return a pattern of `name` as a whole word, or, for a short name, as a whole value."""
    if len(name) < (SHORTEST_NUMBER if name.isdecimal() else SHORTEST_NAME):
        return rf"""(?<![^"'=,;>\t\n]){re.escape(name)}(?![^"'&,;<\t\r\n])"""
    return rf"(?<!\w){re.escape(name)}(?!\w)"


def _unbroken(text: str) -> str:
    """Return `text` with line feeds alone as line breaks."""
    return text.replace("\r\n", "\n")


def _readings(text: str) -> Iterator[str]:
    """Yield `text` as each notation that it may be in decodes it: plain, JSON, URL, HTML, XLSX, CSV."""
    yield _unbroken(text)
    if "\\" in text:
        plain = ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else ESCAPES[match[2]], text)
        # JSON writes a character beyond 16 bits as a pair of surrogates (RFC 8259, section 7).
        yield _unbroken(plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    if "%" in text or "+" in text:
        yield _unbroken(unquote_plus(text))
    if "&" in text:
        yield _unbroken(html.unescape(text))
    if "_x" in text:
        yield _unbroken(SHEET_ESCAPE.sub(lambda match: chr(int(match[1], 16)), html.unescape(text)))
    if '""' in text:
        yield _unbroken(text).replace('""', '"')


def erase_in(rows: "QuerySet[Row]", fields: Collection[str], words: Words, *, cut: bool = False) -> int:
    """Erase the words from the columns `fields` of `rows`, page by page; return the number of rows changed."""
    changed = 0
    for row in chain.from_iterable(batched_rows(rows, PAGE)):
        old = {name: getattr(row, name) for name in fields}
        new = {name: words.erased(value, cut=cut) for name, value in old.items()}
        if different := {name: value for name, value in new.items() if value != old[name]}:
            changed += rows.model._default_manager.filter(pk=row.pk).update(**different)
    return changed


def delete_where(rows: "QuerySet[Row]", read: Callable[[Row], object], words: Words) -> int:
    """Delete the `rows` whose `read(row)` holds the words; return their number."""
    all_rows = chain.from_iterable(batched_rows(rows, PAGE))
    keys = [row.pk for row in all_rows if words.are_in(repr(read(row)))]
    rows.model._default_manager.filter(pk__in=keys).delete()
    return len(keys)


def erase_everywhere(words: Words) -> dict[str, int]:
    """Run every eraser; return how much each erased, without those that erased nothing: `{"sessions": 1}`."""
    counts = {name: import_string(path)(words) for name, path in settings.ERASERS.items()}
    return {name: number for name, number in counts.items() if number}
