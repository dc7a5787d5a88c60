import io
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from openpyxl.styles.numbers import BUILTIN_FORMATS

from content.base.files import CSV, XLSX, sheet, texts, workbook, xml
from content.base.tables import CellError, FileError
from tests.content.awkward import xlsx_files as files
from tests.content.awkward.book import FIRST_TEXT, book, row, rows
from tests.content.awkward.case import Case, check

pytestmark = pytest.mark.django_db

ONE = (("T", "B"),)
NO_RESULT = "The cell holds a formula whose result is not in the file."
TOO_LONG = "has more than 15 digits"
CASES = [
    Case(files.size_that_is_too_small, tuple((f"T{number}", "B") for number in range(50))),
    Case(files.size_that_is_huge, ONE),
    Case(files.hidden_sheet_before_the_visible_one, ONE, found="The sheet “Now” was read. Not read: “Old”."),
    Case(files.active_sheet_behind_another, ONE, found="The sheet “Now” was read."),
    Case(files.active_sheet_that_is_hidden, ONE, found="The sheet “Now” was read."),
    Case(files.no_visible_sheet, refused="Show the sheet that is to be imported."),
    Case(files.formulas_without_results, wrong=((3, "body", NO_RESULT), (4, "body", NO_RESULT))),
    Case(files.formulas_with_results, (("T", "Done"), ("U", "2"))),
    Case(files.formulas_that_are_still_to_be_calculated, wrong=((2, "body", NO_RESULT),)),
    Case(
        files.errors_of_formulas,
        wrong=((2, "title", "The cell shows the error #N/A."), (3, "body", "The cell shows the error #REF!.")),
    ),
    Case(files.numbers_beyond_what_a_sheet_keeps, wrong=((2, "body", TOO_LONG), (3, "body", TOO_LONG))),
    Case(files.numbers_in_columns_of_texts, (("2026", "B"), ("1.5", "B"), ("100", "B"), ("0.3", "B"))),
    Case(
        files.numbers_as_their_formats_show_them,
        tuple((title, "B") for title in ("00123", "50%", "12.5%", "1.50", "12.5%", "7", "1234567")),
    ),
    Case(files.a_percentage_where_a_number_belongs, wrong=((2, "user_id", "“100%” is not a whole number."),)),
    Case(
        files.dates_and_truths_where_texts_belong,
        wrong=((2, "title", "“2026-11-24 00:00:00” is not a text."), (3, "body", "“True” is not a text.")),
    ),
    Case(files.rich_texts_and_how_they_are_pronounced, (("Rich ", "a\r\nb _x0041_"),)),
    Case(files.quotes_before_formulas, (("=1+1", "=2"),)),
    Case(files.a_thousand_blank_rows_from_google_sheets, ONE),
    Case(files.extensions_of_excel, ONE),
    Case(files.rows_and_cells_with_gaps, wrong=((7, "body", "A value is missing. Write one."),)),
    Case(files.blank_cells_around_the_data, ONE),
    Case(files.a_cell_beyond_the_headings, wrong=((3, "body", "The row has 3 cells, but the first row names 2"),)),
    Case(files.names_with_a_prefix, ONE),
    Case(files.strict_open_xml, ONE),
    Case(files.written_by_openpyxl, (("Grüße", "two\nlines"),), found="The sheet “Sheet” was read. Not read: “Notes”."),
    Case(files.entities_that_grow, refused="not an XLSX workbook, or it is damaged"),
    Case(files.a_text_that_is_not_there, refused="not an XLSX workbook, or it is damaged"),
    Case(files.a_sheet_that_is_cut, refused="not an XLSX workbook, or it is damaged"),
    Case(files.csv_named_xlsx, refused="not an XLSX workbook, or it is damaged"),
    Case(files.an_old_workbook_or_one_with_a_password, refused="Save it as XLSX without a password."),
]
HELPERS = {"Sheet", "book", "packed", "parts_of", "row", "rows", "text"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_workbook_as_programs_write_it(case, tmp_path):
    check(case, "XLSX", tmp_path)


def test_each_file_has_its_case():
    assert {name for name, value in vars(files).items() if callable(value)} - HELPERS == {case.name for case in CASES}


def cells(code: str, *numbers: str, settings: str = "") -> list[object]:
    """The cells of a column of numbers in a format."""
    inside = "".join(f'<row><c s="1"><v>{number}</v></c></row>' for number in numbers)
    data = book(f"<sheetData>{row('a')}{inside}</sheetData>", formats=(code,), settings=settings)
    return [str(found[0]) for _, found in XLSX().create_dataset(data)]


@pytest.mark.parametrize(
    ("code", "number", "seen"),
    [
        ("yyyy-mm-dd", "46350", "2026-11-24 00:00:00"),
        ("d. mmmm yyyy h:mm", "46350.5", "2026-11-24 12:00:00"),
        ("h:mm", "0.25", "06:00:00"),
        ("[h]:mm", "1.5", "1 day, 12:00:00"),
        ('0 "days"', "3", "3"),
        ("#,##0", "1234", "1234"),
        ("General", "-5", "-5"),
    ],
)
def test_a_number_is_read_as_its_format_shows_it(code, number, seen):
    assert cells(code, number) == [seen]


def test_days_are_counted_from_1904_where_the_workbook_says_so():
    assert cells("yyyy-mm-dd", "44888", settings='<workbookPr date1904="1"/>') == ["2026-11-24 00:00:00"]


@pytest.mark.parametrize("number", ["-1", "1e300", "nan", "x"])
def test_a_date_that_is_none_is_an_error_of_its_cell(number):
    data = book(f'<sheetData>{row("a")}<row><c s="1"><v>{number}</v></c></row></sheetData>', formats=("d.m.yy",))
    ((_, (found,)),) = XLSX().create_dataset(data)
    assert found == CellError(f"“{number}” is not a date. Write the date again.", shown=number)


# --- what the file chooses costs little ------------------------------------------------------------------------------
LONG = f"<t>{'x' * 100_000}</t>"


@contextmanager
def at_most(most: int) -> Iterator[None]:
    """Memory of Python's own."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


ENDLESS = {
    "rows": "<row/>" * 10_001,
    "cells": f"<row>{'<c/>' * 20_000}</row>",
    "a tag": f'<row a="{"x" * 3_000_000}"/>',
    "a comment": f"<!--{'x' * 3_000_000}-->",
    "a text": f"<row><c><v>{'1' * 3_000_000}</v></c></row>",
    "empty parts of a text": f'<row><c t="inlineStr"><is>{"<t/>" * 200_000}</is></c></row>',
    "elements in elements": "<a>" * 100_000,
    "parts of a text": f'<row><c t="inlineStr"><is>{LONG * 100}</is></c></row>',
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_sheet_without_an_end_is_not_read_into_memory(monkeypatch, name):
    monkeypatch.setattr(sheet, "MAX_ROWS", 10_000)
    data = book(rows(ENDLESS[name]))
    with at_most(8_000_000), pytest.raises(FileError, match="damaged"):
        list(XLSX().create_dataset(data))


FEW_BYTES = {
    "a text in each cell of a row": (
        book(rows(f"<row>{FIRST_TEXT * 16_384}</row>"), texts=[LONG]),
        "A row has more than",
    ),
    "a shared text of many parts": (book(rows(f"<row>{FIRST_TEXT}</row>"), texts=[LONG * 100]), "damaged"),
    "a format of many zeros": (book(rows('<row><c s="1"><v>5</v></c></row>'), formats=["0" * 1_000_000]), "damaged"),
}


@pytest.mark.parametrize("name", FEW_BYTES)
def test_few_bytes_that_stand_for_many_are_not_read_into_memory(name):
    data, message = FEW_BYTES[name]
    with at_most(30_000_000), pytest.raises(FileError, match=message):
        list(XLSX().create_dataset(data))


def test_rows_that_repeat_a_text_are_not_kept_together():
    data = book(rows(f"<row>{FIRST_TEXT}</row>" * 500), texts=[LONG])
    with at_most(30_000_000):
        assert sum(1 for _ in XLSX().create_dataset(data)) == 500


def test_a_text_counts_as_often_as_a_sheet_repeats_it(monkeypatch):
    monkeypatch.setattr(sheet, "MAX_UNPACKED", 1_000_000)
    with pytest.raises(FileError, match="unpacks to more than 1 MB"):
        list(XLSX().create_dataset(book(rows(f"<row>{FIRST_TEXT}</row>" * 200), texts=[LONG])))


def test_a_sheet_that_takes_too_long_is_refused(monkeypatch):
    monkeypatch.setattr(xml, "MAX_SECONDS", 0.0)
    with pytest.raises(FileError, match="takes too long to read"):
        list(XLSX().create_dataset(book(rows())))


def test_more_sheets_and_formats_than_programs_write_are_refused(monkeypatch):
    monkeypatch.setattr(workbook, "MAX_SHEETS", 1)
    monkeypatch.setattr(workbook, "MAX_CODES", len(BUILTIN_FORMATS) + len(workbook.EAST_ASIAN) + 1)
    for data in (book("", ""), book(rows(), formats=["0;0", "0;1"])):
        with pytest.raises(FileError, match="damaged"):
            XLSX().create_dataset(data)


def test_a_cell_in_the_last_column_costs_no_more_than_another():
    data = book(rows('<row><c r="XFD1"><v>1</v></c></row>' * 3_000))
    with at_most(8_000_000):
        assert sum(1 for _ in XLSX().create_dataset(data)) == 3_000


@pytest.mark.parametrize("reference", ["XFE1", "AAAA1", "Ä1"])
def test_a_cell_beyond_the_last_column_is_refused(reference):
    with pytest.raises(FileError, match="damaged"):
        list(XLSX().create_dataset(book(rows(f'<row><c r="{reference}"><v>1</v></c></row>'))))


def test_a_sheet_that_unpacks_to_too_much_is_refused_while_it_is_read(monkeypatch):
    monkeypatch.setattr(sheet, "MAX_UNPACKED", 2_000_000)
    table = XLSX().create_dataset(book(rows(row("T", "B"), row("x" * 100, "B") * 20_000)))
    with pytest.raises(FileError, match="unpacks to more than 2 MB"):
        list(table)


def test_more_texts_than_sheets_have_are_refused(monkeypatch):
    monkeypatch.setattr(texts, "MAX_TEXTS", 10)
    with pytest.raises(FileError, match="damaged"):
        XLSX().create_dataset(book(rows(), texts=["<t/>"] * 11))


def test_texts_are_not_kept_in_memory():
    shared = [f"<t>{'x' * 1000}{number}</t>" for number in range(5_000)]
    data = book(f'<sheetData>{row("title")}<row><c t="s"><v>4999</v></c></row></sheetData>', texts=shared)
    with at_most(2_000_000):
        table = XLSX().create_dataset(data)
        assert [found[0][-4:] for _, found in table] == ["4999"]


def test_parts_that_are_not_read_may_be_large():
    stream = io.BytesIO(book(rows(row("T", "B"))))
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/picture.png", bytes(xml.LONGEST_TAG * 10))
    assert bool(XLSX().create_dataset(stream.getvalue()))


def test_a_list_of_parts_without_an_end_is_refused():
    stream = io.BytesIO(book(rows(row("T", "B"))))
    with zipfile.ZipFile(stream, "a") as archive:
        for number in range(20_000):
            archive.writestr(f"{number:0100}", b"")
    with pytest.raises(FileError, match="damaged"):
        XLSX().create_dataset(stream.getvalue())


# --- writing ---------------------------------------------------------------------------------------------------------
def test_a_number_that_a_sheet_would_cut_is_written_as_text():
    out = io.BytesIO()
    XLSX().write(out, ["a"], [[10**15 + 1], [-(10**15)], [10**15 - 1]])
    found = [cells[0] for _, cells in XLSX().create_dataset(out.getvalue())]
    assert found == ["1000000000000001", "'-1000000000000000"[1:], 10**15 - 1]


@pytest.mark.parametrize("kind", [XLSX, CSV])
def test_rows_that_were_read_are_written_as_they_were_seen(kind):
    """As in the file of the rows that an import refused."""
    read = list(XLSX().create_dataset(files.numbers_as_their_formats_show_them()))
    out = io.BytesIO()
    kind().write(out, ["title", "body"], [cells for _, cells in read])
    again = [[str(cell) for cell in cells] for _, cells in kind().create_dataset(out.getvalue())]
    assert again == [[str(cell) for cell in cells] for _, cells in read]


def test_a_text_that_a_cell_cannot_hold_is_not_cut():
    with pytest.raises(FileError, match="a text in row 3 has more"):
        XLSX().write(io.BytesIO(), ["a"], [["x" * 32_767], ["x" * 32_768]])
