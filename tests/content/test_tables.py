"""Files are read row by row, in blocks, whatever the block's end cuts through."""

import json
import tracemalloc

import pytest

from content.base import json_items, tables
from content.base.files import CSV, FORMATS, JSON, csv, delimiter, encoding, xml
from content.base.tables import FileError
from tests.content.files import table, workbook

KINDS = ["CSV", "XLSX", "JSON"]
RECORDS = [{"title": "Grüße, 你好 🎉", "body": 'a "b" \\ [{}]'}, {"title": "T", "n": {"a": [1, "]", "}"]}}, {"n": None}]


@pytest.mark.parametrize("block", [1, 2, 7, 1000])
@pytest.mark.parametrize("indent", [None, 1])
def test_json_is_read_whole_wherever_a_block_ends(monkeypatch, block, indent):
    monkeypatch.setattr(json_items, "BLOCK", block)
    found = JSON().create_dataset(json.dumps(RECORDS, indent=indent, ensure_ascii=False).encode())
    assert found.headers == ["title", "body", "n"]
    read = [{k: v for k, v in zip(found.headers, cells, strict=True) if v is not tables.MISSING} for _, cells in found]
    assert read == RECORDS


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "must hold a list"),
        ("[", "Expecting value, in item 1"),
        ('[{"a": 1}', "no comma and no end of the list after item 1"),
        ('[{"a": 1} {"a": 2}]', "no comma and no end of the list after item 1"),
        ('[{"a": 1},]', "Expecting value, in item 2"),
        ('[{"a": 1}, {"a" 2}]', "Expecting ':' delimiter, in item 2"),
        ('[{"a": 1}] x', "something after the end"),
        ('[{"a": 1}, 5]', "must hold a list of objects"),
        ("[" * 100_000, "The file is not JSON"),
    ],
)
def test_json_that_is_wrong_says_where(data, message):
    with pytest.raises(FileError, match=message):
        JSON().create_dataset(data.encode())


def test_an_item_without_an_end_is_not_read_whole(monkeypatch):
    monkeypatch.setattr(json_items, "BLOCK", 10)
    monkeypatch.setattr(json_items, "LONGEST_ROW", 100)
    text = json.dumps([{"a": "x" * 50}, {"b": "y" * 500}])
    with pytest.raises(FileError, match="in item 2"):
        JSON().create_dataset(text.encode())


@pytest.mark.parametrize("text", ["x" * 50, '"' + "a\n" * 50, '"a\n",' * 20], ids=["line", "text", "row"])
def test_a_row_without_an_end_is_not_read_whole(monkeypatch, text):
    for module in (csv, tables):
        monkeypatch.setattr(module, "LONGEST_ROW", 20)
    with pytest.raises(FileError, match="A row has more than 20 characters"):
        list(CSV().create_dataset(f"title,body\n\nT,B\nU,V\nW,{text}\n".encode()))


@pytest.mark.parametrize("place", [0, 6, 8, 26])
def test_the_first_byte_that_is_not_utf_8_is_named(monkeypatch, place):
    monkeypatch.setattr(encoding, "BLOCK", 9)  # ends within a character
    text = bytearray(b"title\n" + "ä".encode() * 20)
    text[place] = 0xFF
    with pytest.raises(FileError, match=rf"\(byte {place + 1} is wrong\)"):
        list(CSV().create_dataset(bytes(text)))


def test_blank_rows_without_an_end_are_refused(monkeypatch):
    monkeypatch.setattr(tables, "MAX_BLANK_ROWS", 3)
    with pytest.raises(FileError, match="more than 3 blank rows"):
        CSV().create_dataset(b"title\n\n\n\n\nT\n")


def test_an_upload_that_was_removed_meanwhile_says_so(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("title\nT\n")
    found = CSV().create_dataset(file)
    file.unlink()
    with pytest.raises(FileError, match="Upload it again"):
        list(found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_can_be_read_twice(kind, tmp_path):
    rows = [["title", "body"], ["T", "B"], ["U", "C"]]
    records = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    data = {"CSV": table(*rows).encode(), "XLSX": workbook(*rows), "JSON": json.dumps(records).encode()}[kind]
    file = tmp_path / "rows"
    file.write_bytes(data)
    found = FORMATS[kind]().create_dataset(file)
    assert bool(found)
    assert [cells for _, cells in found] == [cells for _, cells in found] == rows[1:]


@pytest.mark.parametrize("kind", KINDS)
def test_memory_does_not_grow_with_the_file(monkeypatch, kind, tmp_path):
    for module, name in ((json_items, "BLOCK"), (encoding, "BLOCK"), (delimiter, "SAMPLE"), (xml, "BLOCK")):
        monkeypatch.setattr(module, name, 10_000)

    def peak(count: int) -> int:
        file = tmp_path / "rows"
        rows = ([f"T{number}", "B" * 100] for number in range(count))
        with file.open("wb") as out:
            FORMATS[kind]().write(out, ["title", "body"], rows)
        tracemalloc.start()
        try:
            assert sum(1 for _ in FORMATS[kind]().create_dataset(file)) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)  # what is loaded and cached once
    assert peak(5_000) <= 1.2 * peak(500)
