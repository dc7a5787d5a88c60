from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from content.messaging.models import Message
from content.orders.models import Order
from syncer.targets.rest.formats import FORMATS, NOT_WRITABLE, formats_of

EVENING = datetime(2026, 11, 29, 23, 30, 15, 987654, tzinfo=timezone(-timedelta(hours=2)))  # the next day in UTC
BEFORE_1970 = datetime(1969, 12, 31, 23, 59, 59, 500000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("date", date(2026, 11, 29), "2026-11-29"),
        ("date", EVENING, "2026-11-30"),
        ("date", "2026-11-29T23:30:15-02:00", "2026-11-30"),
        ("time", EVENING, "01:30:15"),
        ("time", time(9, 5), "09:05:00"),
        ("time", "09:05", "09:05:00"),
        ("datetime", EVENING, "2026-11-30T01:30:15"),
        ("datetime", date(2026, 11, 29), "2026-11-29T00:00:00"),
        ("datetime", datetime(33, 4, 3, tzinfo=UTC), "0033-04-03T00:00:00"),
        ("sql", EVENING, "2026-11-30 01:30:15"),
        ("utc", EVENING, "2026-11-30T01:30:15Z"),
        ("utc", "2026-11-29", "2026-11-29T00:00:00Z"),
        ("utc", "2026-11-29T12:00:00Z", "2026-11-29T12:00:00Z"),
        ("utc_ms", EVENING, "2026-11-30T01:30:15.987Z"),
        ("epoch", EVENING, 1796002215),
        ("epoch", BEFORE_1970, -1),
        ("epoch_ms", EVENING, 1796002215987),
        ("epoch_ms", BEFORE_1970, -500),
        ("text", 5, "5"),
        ("text", 0.1, "0.1"),
        ("text", True, "true"),
        ("text", Decimal("5.10"), "5.10"),
        ("text", "a5", "a5"),
        ("text", UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        ("number", "5.50", 5.5),
        ("number", "5.00", 5),
        ("number", Decimal("0.1"), 0.1),
        ("number", "-12", -12),
        ("number", 10**30, 10**30),
        ("int", "5", 5),
        ("int", 5.0, 5),
        ("int", True, 1),
        ("int", str(2**64 + 1), 2**64 + 1),
        ("0.0", 5, "5.0"),
        ("0.00", Decimal("21.995"), "22.00"),
        ("0.00", 0.285, "0.29"),
        ("0.00", "-0.001", "0.00"),
        ("0.000", 10**20, "100000000000000000000.000"),
    ],
)
def test_what_a_format_writes(name, value, written):
    form = FORMATS[name].write(value)
    assert (form, type(form)) == (written, type(written))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("date", "soon"),
        ("date", 5),
        ("date", time(9, 5)),
        ("utc", datetime(2026, 11, 29)),  # of which zone?
        ("utc", "2026-11-29T12:00:00"),
        ("epoch", datetime.max.replace(tzinfo=timezone(-timedelta(hours=1)))),
        ("time", "noon"),
        ("text", ["5"]),
        ("text", float("nan")),
        ("number", "five"),
        ("number", ""),
        ("number", "1_000"),
        ("number", "1,5"),
        ("number", "1e5"),
        ("number", "\u0665"),  # a digit of another script
        ("number", "0.12345678901234567890"),
        ("number", float("inf")),
        ("number", None),
        ("int", "5.5"),
        ("int", "9" * 5000),
        ("0.00", "cheap"),
        ("0.00", 10**40),
    ],
)
def test_what_a_format_can_not_write_raises(name, value):
    with pytest.raises(NOT_WRITABLE):
        FORMATS[name].write(value)


@pytest.mark.parametrize("name", ["datetime", "sql", "epoch", "utc"])
def test_a_time_is_read_back_as_it_was(name):
    at = EVENING.replace(microsecond=0)
    read = FORMATS[name].read(FORMATS[name].write(at))
    assert Order._meta.get_field("created_at").to_python(read) == at


@pytest.mark.parametrize(
    ("model", "field", "names"),
    [
        (Order, "created_at", {"date", "time", "datetime", "sql", "utc", "utc_ms", "epoch", "epoch_ms"}),
        (Order, "quantity", {"text", "number", "int", *(f"0.{'0' * places}" for places in range(1, 7))}),
        (Order, "id", {"text"}),
        (Order, "product_name", {*FORMATS}),
        (Message, "bot", {"text", "number", "int", *(f"0.{'0' * places}" for places in range(1, 7))}),
    ],
)
def test_the_formats_that_fit_a_field(model, field, names):
    assert {*formats_of(model._meta.get_field(field))} == names
