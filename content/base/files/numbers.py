"""What a numeric cell of a workbook shows: a number is also a date, a percentage or a text with zeros in front."""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from math import inf, isfinite
from typing import Any

from django.utils.translation import gettext as _
from openpyxl.styles.numbers import is_date_format, is_timedelta_format
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

from content.base.tables import CellError, Shown

MAX_CODES = 5_000  # different formats of one workbook; Excel has 250 beside its own
DIGITS = 15  # that Excel keeps of a number
PLAIN = re.compile(r"(0+)(?:\.(0+))?(%?)")  # such as 00000, 0.00 and 0.0%
PERCENT = re.compile(r"[0#,.]*%")
Number = Callable[[str], Any]


@lru_cache(maxsize=MAX_CODES)
def reader(code: str, *, is_1904: bool) -> Number:
    """Return the function that reads the numbers in cells of a format, such as `00000` or `yyyy-mm-dd`."""
    if is_timedelta_format(code):
        return lambda text: _date(text, is_1904=is_1904, is_duration=True)
    if is_date_format(code):
        return lambda text: _date(text, is_1904=is_1904, is_duration=False)
    if PERCENT.fullmatch(code):
        return lambda text: _percentage(text, len(code.rstrip("%").partition(".")[2]))
    if plain := PLAIN.fullmatch(code):
        return lambda text: _plain(text, width=len(plain[1]), places=len(plain[2] or ""))
    return _number


def _number(text: str) -> Any:
    """Return a number; an error if it has more digits than the sheet keeps."""
    try:
        number = float(text)
    except ValueError:
        number = inf
    if not isfinite(number):
        return CellError(_("The cell holds no number. Write it again."), shown=text)
    if number % 1:
        return number if (seen := f"{number:.{DIGITS}g}") == str(number) else Shown(number, seen)
    if not abs(number) < 10**DIGITS:
        return CellError(_too_long() % {"number": text, "most": DIGITS}, shown=text)
    return int(number)


def _too_long() -> str:
    return _(
        "“%(number)s” has more than %(most)s digits, and sheets lose those beyond. Format the cell as text and write "
        "the number again."
    )


def _plain(text: str, *, width: int, places: int) -> Any:
    """Return a number of the format 00000 or 0.00, with the zeros that it shows."""
    number = _number(text)
    if isinstance(number, CellError) or (width == 1 and not places):
        return number
    shown = f"{Decimal(str(number)):.{places}f}"
    if Decimal(shown) != Decimal(str(number)):
        return number
    sign, digits = ("-", shown[1:]) if shown.startswith("-") else ("", shown)
    shown = sign + digits.zfill(width + places + bool(places))
    return number if shown == str(number) else Shown(number, shown)


def _percentage(text: str, places: int) -> Any:
    number = _number(text)
    if isinstance(number, CellError):
        return number
    hundredths = Decimal(str(number)) * 100
    rounded = f"{hundredths:.{places}f}"
    return f"{rounded if Decimal(rounded) == hundredths else format(hundredths.normalize(), 'f')}%"


def _date(text: str, *, is_1904: bool, is_duration: bool) -> Any:
    try:
        found = from_excel(float(text), MAC_EPOCH if is_1904 else WINDOWS_EPOCH, timedelta=is_duration)
    except (ValueError, OverflowError):
        found = None
    if found is None or (isinstance(found, datetime) and float(text) < 0):
        return CellError(_("“%(number)s” is not a date. Write the date again.") % {"number": text}, shown=text)
    return found
