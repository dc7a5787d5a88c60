"""Numbers, dates and truths as people write them in different countries. What can be meant in two ways is refused."""

import re

from django.utils.translation import gettext as _

WHOLE = r"(?P<whole>[+-]?\d{1,3}"
GROUPED = [
    re.compile(pattern)
    for pattern in (
        WHOLE + r"(?:[ \u00a0\u202f\u2019']\d{3})+)(?:[.,](?P<fraction>\d+))?",  # 1 234,5
        WHOLE + r"(?:\.\d{3})+),(?P<fraction>\d+)",  # 1.234,5
        WHOLE + r"(?:,\d{3})+)\.(?P<fraction>\d+)",  # 1,234.5
        WHOLE + r"(?P<mark>[.,])\d{3}(?:(?P=mark)\d{3})+)(?P<fraction>)",  # 1.234.567
    )
]
COMMA = re.compile(r"[+-]?\d+,(\d+)")
DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\d)(.*)", re.DOTALL)
OTHER_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b.*", re.DOTALL)
ISO_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}\b.*", re.DOTALL)
# As spreadsheet programs write them in English, German and French.
TRUTHS = {"true": "True", "wahr": "True", "vrai": "True", "false": "False", "falsch": "False", "faux": "False"}


def plain_number(text: str) -> str:
    """Return a number with a point and without groups of digits; other texts unchanged.

    Raises:
        ValueError: the number may mean two things, such as 1,234.
    """
    if match := COMMA.fullmatch(text):
        point = text.replace(",", ".")
        if len(match[1]) != 3:
            return point
        words = {"text": text, "first": text.replace(",", ""), "second": point}
        raise ValueError(_("“%(text)s” may mean two numbers. Write %(first)s or %(second)s.") % words)
    for pattern in GROUPED:
        if match := pattern.fullmatch(text):
            whole = re.sub(r"[^\d+-]", "", match["whole"])
            return f"{whole}.{match['fraction']}" if match["fraction"] else whole
    return text


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


def plain_truth(text: str) -> str:
    """Return a truth such as WAHR as True; other texts unchanged."""
    return TRUTHS.get(text.lower(), text)
