import pytest

from tests.content.awkward import json_files as files
from tests.content.awkward.case import Case, check

pytestmark = pytest.mark.django_db

BOTH = (("Grüße", "{B}"), ("U", "two\nlines"))
CASES = [
    Case(files.utf_8_with_bom, BOTH, found="Encoding: UTF-8 with BOM."),
    Case(files.utf_16_from_windows, BOTH, found="Encoding: UTF-16."),
    Case(files.one_object_a_line, BOTH, found="Encoding: UTF-8."),
    Case(files.objects_of_several_lines, BOTH),
    Case(files.labels_as_keys, BOTH),
    Case(files.a_line_that_is_cut, refused="The file is not JSON: Unterminated string starting at, in item 2."),
    Case(files.lines_of_texts, refused="The file must hold a list of objects"),
    Case(files.windows_1252, refused="The file is not UTF-8 text"),
    Case(files.a_text_alone, refused="The file must hold a list of objects"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_json_file_as_programs_write_it(case, tmp_path):
    check(case, "JSON", tmp_path)


def test_each_file_has_its_case():
    assert {name for name, value in vars(files).items() if callable(value)} == {case.name for case in CASES}
