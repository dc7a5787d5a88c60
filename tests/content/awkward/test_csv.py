import pytest

from content.base.files import csv, delimiter
from tests.content.awkward import csv_files as files
from tests.content.awkward.case import Case, check

pytestmark = pytest.mark.django_db

GREETING = (("Grüße", "Preis: 5 €"),)
CASES = [
    Case(files.utf_8_with_semicolons, GREETING, found="UTF-8. Columns are separated by: semicolon."),
    Case(files.utf_8_with_bom, GREETING, found="UTF-8 with BOM. Columns"),
    Case(files.windows_1252_from_excel, GREETING, found="Windows-1252. Columns are separated by: semicolon."),
    Case(files.unicode_text_from_excel, GREETING, found="UTF-16. Columns are separated by: tab."),
    Case(files.utf_16_of_the_other_byte_order, GREETING, found="UTF-16"),
    Case(files.utf_16_without_bom, GREETING, found="UTF-16"),
    Case(
        files.windows_1252_that_is_utf_8_by_chance,
        wrong=((3, "body", "The row has 7 cells"),),
        found="Windows-1252",
    ),
    Case(files.vertical_bars_from_a_database, (("A, b; c", "D"),), found="vertical bar"),
    Case(files.commas_with_semicolons_in_texts, (("A; b; c", "D; e"), ("F;", "G;")), found="comma"),
    Case(files.sep_line_for_excel, (("T, u", "B"),), found="semicolon"),
    Case(files.sep_line_in_quotes, (("T", "B"),), found="vertical bar"),
    Case(files.sep_line_of_a_tab_with_bom, (("T", "B"),), found="tab"),
    Case(files.quotes_as_excel_writes_them, (('say "hi"; twice', "two\nlines"), ('5" pipe', "B"))),
    Case(files.lines_of_an_old_mac, (("T", "B"), ("U", "C"))),
    Case(files.lines_of_unix_without_an_end, (("T", "B"), ("U", "C"))),
    Case(files.blank_columns_and_rows_at_the_end, (("T", "B"), ("U", "C"))),
    Case(files.blank_rows_before_the_headings, (("T", "B"),)),
    Case(files.labels_as_headings, (("T", "B"),)),
    Case(files.the_same_column_by_two_names, refused="“Title” and “title” both name the column title."),
    Case(
        files.a_row_too_wide_and_one_too_narrow,
        wrong=((3, "body", "The row has 3 cells"), (4, "body", "The row has 1 cell,")),
    ),
    Case(files.one_damaged_byte_far_down, refused="something in line 3,002 can't be read (byte 30014 is wrong)"),
    Case(files.a_byte_that_no_encoding_has, refused="something in line 2 can't be read (byte 15 is wrong)"),
    Case(files.a_quote_that_never_ends, refused="Row 3 is not CSV"),
    Case(files.no_line_break_at_all, refused="A row has more than 5,000,000 characters."),
    Case(files.a_workbook_named_csv, refused="Choose XLSX as its format."),
    Case(files.an_old_workbook_named_csv, refused="Save it as XLSX without a password."),
    Case(files.nothing, refused="The file is empty."),
    Case(files.blank_rows_alone, refused="The file is empty."),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_csv_file_as_programs_write_it(case, tmp_path):
    check(case, "CSV", tmp_path)


def test_each_file_has_its_case():
    made = {name for name, value in vars(files).items() if callable(value)}
    assert made == {case.name for case in CASES}


def test_the_encoding_that_was_asked_for_is_used():
    table = csv.CSV(encoding="mac-roman").create_dataset("title,body\nGrüße,B\n".encode("mac-roman"))
    assert [cells for _, cells in table] == [["Grüße", "B"]]
    assert table.found.encoding == "mac-roman"


def test_commas_in_a_heading_do_not_outvote_the_rows():
    assert delimiter.detect("title;Notes, remarks, more\nT;B\nU;C\n").character == ";"


def test_the_end_of_a_sample_may_cut_a_row(monkeypatch):
    monkeypatch.setattr(delimiter, "SAMPLE", 20)
    assert delimiter.detect('a;b,c,d\nT;"two\nlines'[:20]).character == ";"
