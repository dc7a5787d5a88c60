"""On which line of a TOML document each key stands; `tomllib` does not tell."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

Place = tuple[str | int, ...]  # ("targets", "fakeapi", "routes", 0, "fields", "title")

TOKEN = re.compile(
    r"""
    (?P<comment> \#[^\n]* )
  | (?P<text>    \"{3}(?:\\.|[^\\])*?\"{3,5}(?!\") | '{3}.*?'{3,5}(?!') | "(?:\\.|[^"\\\n])*" | '[^'\n]*' )
  | (?P<end>     \n )
  | (?P<mark>    [][{}=,.] )
  | (?P<word>    [^][{}=,.\s"'\#]+ )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """`kind` is a group of `TOKEN`; `line` counts from 1."""

    kind: str
    text: str
    line: int


def locate(document: str) -> Mapping[Place, int]:
    """The line of every table, key and list item of a valid TOML document, counted from 1.

    `document` has been read by `tomllib`; on an invalid one the answer means nothing.
    """
    return _Scanner(document).lines


def line_of(lines: Mapping[Place, int], place: Place) -> int:
    """The line of `place`, else of the nearest thing around it; 1 where nothing is known."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


class _Scanner:
    def __init__(self, document: str) -> None:
        self.lines: dict[Place, int] = {}
        self._items: dict[Place, int] = {}  # of arrays of tables: the last index
        self._at = 0
        self._tokens = [
            Token(found.lastgroup or "", found.group(), document.count("\n", 0, found.start()) + 1)
            for found in TOKEN.finditer(document)
            if found.lastgroup != "comment"
        ]
        table: Place = ()
        while self._skip("\n"):
            table = self._header() if self._next.text == "[" else self._pair(table)

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _skip(self, marks: str) -> bool:
        """Go past `marks`; whether anything is left."""
        while self._at < len(self._tokens) and self._next.text in marks:
            self._at += 1
        return self._at < len(self._tokens)

    def _header(self) -> Place:
        """`[a.b]` or `[[a.b]]`: the table that the following pairs belong to."""
        line = self._next.line
        self._at += 1
        is_item = self._next.text == "["
        self._skip("[")
        table: Place = ()
        keys = self._keys("]")
        for depth, key in enumerate(keys, start=1):
            table = (*table, key)
            self.lines.setdefault(table, line)
            if is_item and depth == len(keys):
                self._items[table] = self._items.get(table, -1) + 1
            if table in self._items:
                table = (*table, self._items[table])
                self.lines.setdefault(table, line)
        self._skip("]")
        return table

    def _pair(self, table: Place) -> Place:
        """`a.b = value`. Returns `table`, for the next pair."""
        line = self._next.line
        place = table
        for key in self._keys("="):
            place = (*place, key)
            self.lines.setdefault(place, line)
        self._at += 1
        self._value(place)
        return table

    def _keys(self, until: str) -> list[str]:
        keys = []
        while self._next.text != until:
            token = self._next
            self._at += 1
            if token.kind == "text":
                keys.append(str(tomllib.loads(f"key = {token.text}")["key"]))
            elif token.kind == "word":
                keys.append(token.text)
        return keys

    def _value(self, place: Place) -> None:
        opening = self._next.text
        if opening == "{":
            self._at += 1
            while self._skip(",\n") and self._next.text != "}":
                self._pair(place)
            self._at += 1
        elif opening == "[":
            self._at += 1
            index = 0
            while self._skip(",\n") and self._next.text != "]":
                self.lines[*place, index] = self._next.line
                self._value((*place, index))
                index += 1
            self._at += 1
        else:
            while self._at < len(self._tokens) and self._next.text not in ("\n", ",", "]", "}"):
                self._at += 1
