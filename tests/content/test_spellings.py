"""Numbers and dates as different countries write them are read, unless they may mean two things."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import models
from django.utils import timezone

from content.base.resource import Column, ColumnWidget
from content.base.tables import CellError, Shown


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.5", "1.5"), ("1,5", "1.5"), ("-0,25", "-0.25"), ("1,2345", "1.2345"), ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"), ("1.234.567", "1234567"), ("1 234,5", "1234.5"), ("1\u202f234\u202f567", "1234567"),
        ("1\u2019234.50", "1234.50"), ("-12", "-12"),
    ],
)  # fmt: skip
def test_a_number_that_can_mean_one_thing_is_read(text, number):
    field = models.DecimalField(max_digits=20, decimal_places=5)
    assert ColumnWidget(field).clean(text) == Decimal(number)
    assert ColumnWidget(models.FloatField()).clean(text) == float(number)


def test_a_number_that_can_mean_two_things_names_both():
    with pytest.raises(ValueError, match=r"“1,234” may mean two numbers. Write 1234 or 1.234."):
        ColumnWidget(models.DecimalField(max_digits=20, decimal_places=5)).clean("1,234")


@pytest.mark.parametrize("text", ["31.12.2026", "2026-12-31", " 31.12.2026 "])
def test_a_date_that_can_mean_one_day_is_read(text):
    assert ColumnWidget(models.DateField()).clean(text) == date(2026, 12, 31)


@pytest.mark.parametrize("text", ["01/02/2026", "12/31/2026", "1.2.26", "01-02-2026"])
@pytest.mark.parametrize("field", [models.DateField(), models.DateTimeField()])
def test_a_date_that_can_mean_several_days_names_the_cure(text, field):
    with pytest.raises(ValueError, match=f"“{text}” may mean several days. Write the date as 2026-12-31."):
        ColumnWidget(field).clean(text)


@pytest.mark.parametrize("text", ["99.99.2026", "31.02.2026", "yesterday"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ValueError, match="date"):
        ColumnWidget(models.DateField()).clean(text)


@pytest.mark.parametrize(
    "cell", ["31.12.2026 09:30", "2026-12-31 09:30", datetime(2026, 12, 31, 9, 30), "2026-12-31T08:30:00+00:00"]
)
def test_a_moment_is_in_the_current_time_zone_unless_it_says_which(cell):
    with timezone.override("Europe/Berlin"):
        assert ColumnWidget(models.DateTimeField()).clean(cell) == datetime(2026, 12, 31, 8, 30, tzinfo=UTC)


def test_a_day_is_a_moment_too():
    assert ColumnWidget(models.DateTimeField()).clean(date(2026, 12, 31)) == datetime(2026, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize("cell", [0.1, Shown(0.1, "0.10"), "0,1"])
def test_a_fraction_of_a_sheet_has_the_digits_that_are_seen(cell):
    field = models.DecimalField(max_digits=9, decimal_places=2)
    assert field.clean(ColumnWidget(field).clean(cell), None) == Decimal("0.1")


@pytest.mark.parametrize(
    ("cell", "value"), [("TRUE", True), ("Falsch", False), (" VRAI ", True), ("0", False), (True, True), ("", None)]
)
def test_a_truth_is_read_as_spreadsheet_programs_write_it(cell, value):
    assert ColumnWidget(models.BooleanField()).clean(cell) is value


def test_a_number_is_the_text_that_its_sheet_shows():
    assert ColumnWidget(models.CharField()).clean(Shown(123, "00123")) == "00123"
    assert ColumnWidget(models.IntegerField()).clean(Shown(123, "00123")) == 123
    assert ColumnWidget(models.DecimalField(max_digits=9, decimal_places=2)).clean(Shown(1.5, "1.50")) == Decimal("1.5")


def test_a_cell_that_cannot_be_read_refuses_its_row_in_a_column_of_texts_too():
    column = Column(attribute="a", column_name="a", widget=ColumnWidget(models.TextField()))
    with pytest.raises(ValueError, match="Correct its formula"):
        column.clean({"a": CellError("Correct its formula.", shown="#N/A")})
