"""Detects what separates the columns of a CSV file, from its first rows."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from content.base.tables import DELIMITERS, without_blank_end

SAMPLE = 64 * 1024  # characters
ROWS = 100
# Excel reads this first line, and does not show it; other programs write it for Excel.
SEP = re.compile(r'"?sep=([^"\r\n])"?[,;\t|]*(\r\n?|\n|$)', re.IGNORECASE)


@dataclass(frozen=True)
class Delimiter:
    """What separates the columns, and whether the file's first line only says so."""

    character: str
    is_declared: bool = False

    @property
    def name(self) -> str:
        return DELIMITERS.get(self.character, self.character)


def detect(sample: str) -> Delimiter:
    """Return what separates the columns; a comma if the first row has one column in any way."""
    if match := SEP.match(sample):
        return Delimiter(match[1], is_declared=True)
    return Delimiter(max(DELIMITERS, key=lambda character: _fit(sample, character)))


def _fit(sample: str, character: str) -> tuple[float, int]:
    """Return how well the character separates the rows: the share of rows as wide as the first, and their width."""
    rows = [row for row in _rows(sample, character) if any(row)]
    if not rows or len(rows[0]) < 2:
        return 0, 0
    width = len(without_blank_end(rows[0]))
    alike = sum(len(without_blank_end(row)) <= width <= len(row) for row in rows)
    return alike / len(rows), width


def _rows(sample: str, character: str) -> Iterator[list[str]]:
    """Yield the first rows, as far as they can be read; without the last of a full sample, which may be cut."""
    lines = io.StringIO(sample, newline="")
    rows = csv.reader(lines, delimiter=character, strict=True)
    try:
        for row in islice(rows, ROWS):
            if len(sample) < SAMPLE or lines.tell() < len(sample):
                yield row
    except csv.Error:
        return
