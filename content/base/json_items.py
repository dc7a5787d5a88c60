"""Reads a JSON list, or objects that follow each other as in NDJSON, item by item; Python's library reads it whole."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, TextIO

from django.utils.translation import gettext as _

from content.base.tables import LONGEST_ROW

BLOCK = 256 * 1024  # characters read at a time
DIGITS = 1000  # of a whole number; Python's own limit is 4,300
SPACE = re.compile(r"[ \t\n\r]*")


class NotAListError(Exception):
    """The text begins neither as a list nor as an object does."""


def items(text: TextIO) -> Iterator[Any]:
    """Yield the items of a list, which are objects, lists or texts: a number could be cut at the end of a block.

    A text without a list, of objects alone, yields these objects.

    Raises:
        NotAListError: the text begins neither as a list nor as an object does.
        ValueError: the text is not JSON; the items before the fault were yielded.
    """
    reader = _Reader(text)
    if (first := reader.next_character()) == "[":
        yield from _listed(reader)
    elif first == "{":
        yield from _following(reader)
    else:
        raise NotAListError


def _following(reader: "_Reader") -> Iterator[Any]:
    number = 1
    while reader.next_character():
        yield reader.value(number)
        number += 1


def _listed(reader: "_Reader") -> Iterator[Any]:
    number = 1
    reader.position += 1
    if reader.next_character() == "]":
        reader.position += 1
    else:
        mark = ","
        while mark == ",":
            yield reader.value(number)
            mark = reader.next_character()
            reader.position += 1
            number += 1
        if mark != "]":
            text = _("there is no comma and no end of the list after item %(number)d")
            raise ValueError(text % {"number": number - 1})
    if reader.next_character():
        raise ValueError(_("there is something after the end of the list"))


class _Reader:
    """A text of which only the part from the current item on is kept."""

    def __init__(self, text: TextIO) -> None:
        self.text, self.buffer, self.position = text, "", 0
        self.decode = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer).raw_decode

    def next_character(self) -> str:
        """Move to the next character that is not white space, and return it; empty at the end."""
        while True:
            self.position = SPACE.match(self.buffer, self.position).end()  # type: ignore[union-attr]
            if self.position < len(self.buffer):
                return self.buffer[self.position]
            if not self._read_more(BLOCK):
                return ""

    def value(self, number: int) -> Any:
        """Read the next item, of which `number` names the place in an error."""
        self.next_character()
        while True:
            try:
                value, self.position = self.decode(self.buffer, self.position)
            except json.JSONDecodeError as error:
                left = len(self.buffer) - self.position
                if left > LONGEST_ROW or not self._read_more(
                    max(BLOCK, left)
                ):  # doubled, so that a long item costs little
                    raise _in_item(number, error.msg) from error
            except RecursionError as error:
                raise _in_item(number, _("it is nested too deeply")) from error
            except ValueError as error:
                raise _in_item(number, str(error)) from error
            else:
                return value

    def _read_more(self, size: int) -> bool:
        more = self.text.read(size)
        self.buffer, self.position = self.buffer[self.position :] + more, 0
        return bool(more)


def _in_item(number: int, problem: str) -> ValueError:
    return ValueError(_("%(problem)s, in item %(number)d") % {"problem": problem, "number": number})


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object; Python's library takes the last of two values and says nothing."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _value in pairs]
        name = next(name for name, count in Counter(names).items() if count > 1)
        raise ValueError(_("the name “%(name)s” occurs twice in one object") % {"name": name})
    return made


def _integer(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError(_("a number has more than %(most)d digits") % {"most": DIGITS})
    return int(digits)
