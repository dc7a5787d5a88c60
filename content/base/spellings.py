"""Numbers and dates as people write them in different countries. What can be meant in two ways is refused."""

import re

from django.utils.translation import gettext as _

GROUPED = re.compile(r"[+-]?\d{1,3}(?:([., \u2019'\u00a0\u202f])\d{3})(?:\1\d{3})*(?:[.,]\d+)?")
COMMA = re.compile(r"([+-]?\d+),(\d+)")
DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\d)(.*)", re.DOTALL)
OTHER_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b.*", re.DOTALL)
ISO_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}\b.*", re.DOTALL)


def plain_number(text: str) -> str:
    """Return a number with a point; other texts unchanged.

    Raises:
        ValueError: the number may mean two things, such as 1,234.
    """
    if match := COMMA.fullmatch(text):
        if len(match[2]) == 3:
            raise ValueError(
                _ambiguous_number() % {"text": text, "first": text.replace(",", ""), "second": _point(text)}
            )
        return _point(text)
    marks = [mark for mark in text if mark in ".,"]
    if GROUPED.fullmatch(text) and (len(set(marks)) == 2 or len(marks) != 1):
        return _without_groups(text, marks)
    return text


def _without_groups(text: str, marks: list[str]) -> str:
    """Return a number such as 1.234,5 or 1 234 567 without the marks between its groups."""
    whole, point, fraction = text.rpartition(marks[-1]) if len(set(marks)) == 2 else (text, "", "")
    return re.sub(r"[^\d+-]", "", whole) + ("." if point else "") + fraction


def _point(text: str) -> str:
    return text.replace(",", ".")


def _ambiguous_number() -> str:
    return _("“%(text)s” may mean two numbers. Write %(first)s or %(second)s.")


def plain_date(text: str) -> str:
    """Return a date such as 31.12.2026 as 2026-12-31, with what follows it; other texts unchanged.

    Raises:
        ValueError: the date may mean two days, such as 01/02/2026.
    """
    if match := DOTTED.fullmatch(text):
        day, month, year, rest = match.groups()
        return f"{year}-{int(month):02}-{int(day):02}{rest}"
    if OTHER_DATE.fullmatch(text) and not ISO_DATE.fullmatch(text):
        raise ValueError(_("“%(text)s” may mean several days. Write the date as 2026-12-31.") % {"text": text})
    return text
