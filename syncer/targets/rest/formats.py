"""The named formats in which a route writes dates, times, numbers and ids: `formats = { due = "date" }`.

Times are written in UTC and cut off behind the last part that a format shows; a date counts as its midnight. A text is
read first, as ISO 8601 or as a plain number.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any

from django.db import models

from syncer.models.keys import json_value

NOT_WRITABLE = (
    ValueError,
    TypeError,
    ArithmeticError,
)  # raised for a value that a format can't write, or not read back
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DATE = re.compile(r"\d{4}-\d\d-\d\d")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

TEXTS: tuple[type[Any], ...] = (models.CharField, models.TextField)
DATES: tuple[type[Any], ...] = (models.DateField, *TEXTS)  # a DateTimeField is a DateField
TIMES: tuple[type[Any], ...] = (models.TimeField, models.DateTimeField, *TEXTS)
NUMBERS: tuple[type[Any], ...] = (
    models.IntegerField,
    models.FloatField,
    models.DecimalField,
    models.ForeignKey,
    *TEXTS,
)


@dataclass(frozen=True, kw_only=True)
class Format:
    """One way to write a value.

    Attributes:
        write: returns the JSON value, or raises one of `NOT_WRITABLE`.
        read: returns what a model's field takes for a JSON value that was written so.
        fits: the types of field whose values can be written so.
    """

    write: Callable[[Any], object]
    fits: tuple[type[Any], ...]
    read: Callable[[Any], object] = lambda value: value


def moment(value: object) -> datetime:
    """Return the time in UTC of a date, of a time with its zone, or of a text of either."""
    if isinstance(value, str):
        value = date.fromisoformat(value) if DATE.fullmatch(value) else datetime.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time(), UTC)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("it is not a time with a zone")
    return value.astimezone(UTC)


def number(value: object) -> Decimal:
    """Return the number that a value is, or that a text spells in plain digits."""
    if isinstance(value, float) or (isinstance(value, str) and NUMBER.fullmatch(value)):
        value = Decimal(str(value))
    if not isinstance(value, int | Decimal) or not math.isfinite(value):
        raise ValueError("it is not a number")
    return Decimal(value)


def _time(value: object) -> str:
    if isinstance(value, str) and not DATE.match(value):
        value = time.fromisoformat(value)
    clock = value if isinstance(value, time) else moment(value).time()
    return clock.replace(tzinfo=None).isoformat(timespec="seconds")


def _date_and_time(value: object, *, sep: str = "T", timespec: str = "seconds", zone: str = "") -> str:
    return moment(value).replace(tzinfo=None).isoformat(sep, timespec) + zone


def _since_epoch(value: object, *, unit: timedelta) -> int:
    return (moment(value) - EPOCH) // unit


def _text(value: object) -> str:
    value = json_value(value)
    if isinstance(value, int | float):
        value = json.dumps(value, allow_nan=False)  # true, false, 5, 0.1
    if not isinstance(value, str):
        raise TypeError("it is a list or a table")
    return value


def _number(value: object) -> int | float:
    exact = number(value)
    if exact == exact.to_integral_value():
        return int(exact)
    if Decimal(repr(float(exact))) != exact:
        raise ValueError("it has more digits than a JSON number keeps")
    return float(exact)


def _int(value: object) -> int:
    exact = number(value)
    if exact != exact.to_integral_value():
        raise ValueError("it is not a whole number")
    return int(exact)


def _decimals(value: object, *, places: int) -> str:
    return f"{number(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) + 0:f}"  # `+ 0`: not "-0.00"


def _moment_read(value: Any) -> datetime:
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


FORMATS: Mapping[str, Format] = {
    "date": Format(write=lambda value: moment(value).date().isoformat(), fits=DATES),
    "time": Format(write=_time, fits=TIMES),
    "datetime": Format(write=_date_and_time, fits=DATES, read=_moment_read),
    "sql": Format(write=partial(_date_and_time, sep=" "), fits=DATES, read=_moment_read),
    "utc": Format(write=partial(_date_and_time, zone="Z"), fits=DATES),
    "utc_ms": Format(write=partial(_date_and_time, timespec="milliseconds", zone="Z"), fits=DATES),
    "epoch": Format(
        write=partial(_since_epoch, unit=timedelta(seconds=1)),
        fits=DATES,
        read=lambda value: EPOCH + timedelta(seconds=value),
    ),
    "epoch_ms": Format(
        write=partial(_since_epoch, unit=timedelta(milliseconds=1)),
        fits=DATES,
        read=lambda value: EPOCH + timedelta(milliseconds=value),
    ),
    "text": Format(write=_text, fits=(*NUMBERS, models.BooleanField, models.UUIDField)),
    "number": Format(write=_number, fits=NUMBERS),
    "int": Format(write=_int, fits=(*NUMBERS, models.BooleanField)),
    **{f"0.{'0' * places}": Format(write=partial(_decimals, places=places), fits=NUMBERS) for places in range(1, 7)},
}


def formats_of(field: "models.Field[Any, Any]") -> list[str]:
    """Return the names of the formats in which a field's values can be written."""
    return [name for name, form in FORMATS.items() if isinstance(field, form.fits)]


SAMPLE = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)
SAMPLE_NUMBER = Decimal("7.5")


def samples() -> dict[str, str]:
    """Return what each format writes of a date and time, or of a number, as JSON: `{"date": '"2026-11-29"'}`."""
    values: dict[str, object] = {
        name: SAMPLE if form.fits in (DATES, TIMES) else SAMPLE_NUMBER for name, form in FORMATS.items()
    }
    values |= {"text": 5, "int": 5}
    return {name: json.dumps(form.write(values[name])) for name, form in FORMATS.items()}
