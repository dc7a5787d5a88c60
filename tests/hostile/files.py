"""Files to import that are no tables, or cost much for their size; `tests/content/awkward/` has honest ones."""

import gzip
import io
import zipfile
from dataclasses import dataclass
from itertools import pairwise

from tests.content.awkward.book import FIRST_TEXT, book, packed, row, rows
from tests.content.awkward.xlsx_files import parts_of
from tests.hostile.cases import REFUSED


@dataclass(frozen=True)
class File:
    """A file, and words of its refusal: of the whole file, or of its first wrong row."""

    kind: str
    data: bytes
    says: str

    outcome = REFUSED


def csv(data: bytes | str, says: str) -> File:
    return File("csv", data.encode() if isinstance(data, str) else data, says)


def json(data: bytes | str, says: str) -> File:
    return File("json", data.encode() if isinstance(data, str) else data, says)


def xlsx(data: bytes, says: str = "not an XLSX workbook, or it is damaged") -> File:
    return File("xlsx", data, says)


def archive(**parts: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in parts.items():
            made.writestr(name, data)
    return stream.getvalue()


def nested(depth: int) -> bytes:
    data = b"x"
    for _ in range(depth):
        data = archive(inner=data)
    return data


def with_entities() -> bytes:
    """Each entity is ten of the one before: a billion texts from a few lines."""
    names = [f"e{number}" for number in range(10)]
    grown = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise(names))
    parts = parts_of(book(rows(row("T", "B"))))
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = f'<!DOCTYPE x [<!ENTITY e0 "lol">{grown}]>{parts[sheet].replace(">T<", ">&e9;<")}'
    return packed(parts)


def with_a_file_of_the_system() -> bytes:
    parts = parts_of(book(rows(row("T", "B"))))
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>{parts[sheet].replace(">T<", ">&e;<")}'
    return packed(parts)


GOOD = b"title,body\nT,B\n"

FILES = {
    "CSV in gzip": csv(gzip.compress(GOOD), "compressed with gzip"),
    "fifty million zeros in gzip": csv(gzip.compress(b"0" * 50_000_000), "compressed with gzip"),
    "CSV in a ZIP file": csv(archive(a=GOOD), "a workbook or another ZIP file"),
    "a program": csv(b"MZ\x90\0\x03\0\0\0\xff\x81", "not UTF-8 text"),
    "a PDF": csv(b"%PDF-1.7\n%\xe2\xe3", "is a PDF"),
    "zeros": csv(b"\0" * 50_000, "has no rows"),
    "twenty thousand columns": csv(",".join(f"c{n}" for n in range(20_000)) + "\n", "20,000 columns, more than 200"),
    "a row of commas": csv(b"title,body\nT" + b"," * 50_000 + b"V\n", "The row has 50001 cells"),
    "forty thousand quotes": csv(b'title,body\n"' + b'""' * 20_000, "Row 2 is not CSV"),
    "a quote without an end": csv(b'title,body\n"T,B\n' + b"U,V\n" * 5_000, "Row 2 is not CSV"),
    "a null in a text": csv(b"title,body\nT\0,B\n", "Null characters are not allowed"),
    "a heading with a direction": csv("\u202etitle,body\nT,B\n", "A value is missing"),
    "a heading with a letter that looks alike": csv("t\u0456tle,body\nT,B\n", "A value is missing"),
    "a key that is a statement": csv("id,title,body\n1 OR 1=1,T,B\n", "“1 OR 1=1” is not a whole number"),
    "a key below zero": csv("id,title,body\n-1,T,B\n", "There is no post -1"),
    "a key that no column holds": csv(f"id,title,body\n{'9' * 30},T,B\n", "There is no post 9999"),
    "five thousand digits": csv(f"user_id,title,body\n{'9' * 5000},T,B\n", "user id|whole number|integer"),
    "a number that is infinite": csv("user_id,title,body\ninf,T,B\n", "“inf” is not a whole number"),
    "a number as Python writes it": csv("user_id,title,body\n1_000,T,B\n", "“1_000” is not a whole number"),
    "JSON in gzip": json(gzip.compress(b"[]"), "compressed with gzip"),
    "fifty thousand brackets": json(b'[{"title":' + b"[" * 50_000, "nested too deeply"),
    "fifty thousand brackets, closed": json(
        b'[{"title":"T","body":' + b"[" * 40_000 + b"]" * 40_000 + b"}]", "nested too deeply"
    ),
    "objects in objects": json(b'{"a":' * 10_000, "nested too deeply"),
    "a number of 5,000 digits": json(b'[{"title":"T","user_id":' + b"9" * 5000 + b"}]", "more than 1000 digits"),
    "not a number": json(b'[{"title":"T","body":"B","user_id":NaN}]', "“nan” is not a whole number"),
    "infinity": json(b'[{"title":"T","body":"B","user_id":1e999}]', "“inf” is not a whole number"),
    "a name twice": json(b'[{"title":"T","title":"U","body":"B"}]', "“title” occurs twice in one object, in item 1"),
    "twenty thousand names, one of them twice": json(
        "[{" + "".join(f'"n{n}":1,' for n in range(20_000)) + '"n19999":1}]', "“n19999” occurs twice in one object"
    ),
    "a name in two cases": json(b'[{"title":"T","Title":"U","body":"B"}]', "both name the column title"),
    "a name with a null": json(b'[{"ti\\u0000tle":"T","body":"B"}]', "“ti�tle” holds a null character"),
    "an operator for a text": json(b'[{"title":{"$ne":1},"body":"B"}]', "is not a text"),
    "half a character": json(b'[{"title":"\\ud83d","body":"B"}]', "unpaired surrogate"),
    "a list of texts": json(b'["a","b"]', "a list of objects"),
    "something after the end": json(b'[{"title":"T","body":"B"}]]', "after the end"),
    "a text without an end": json(b'[{"title":"' + b"x" * 50_000, "Unterminated string"),
    "CSV as a workbook": xlsx(GOOD),
    "a workbook in gzip": xlsx(gzip.compress(book(rows(row("T", "B"))))),
    "half a workbook": xlsx(book(rows(row("T", "B")))[:-60]),
    "a ZIP file of ZIP files": xlsx(nested(50)),
    "a million zeros": xlsx(archive(**{"xl/workbook.xml": b"0" * 900_000})),
    "a path above": xlsx(archive(**{"../../../../etc/passwd": b"x"})),
    "a text document": xlsx(archive(**{"word/document.xml": b"<x/>"})),
    "a workbook with a password": xlsx(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(5000), "without a password"),
    "entities that grow": xlsx(with_entities()),
    "a file of the system": xlsx(with_a_file_of_the_system()),
    "elements in elements": xlsx(book(rows("<a>" * 100_000))),
    "a format of brackets": xlsx(book(rows('<row><c s="1"><v>5</v></c></row>'), formats=["[" * 100_000])),
    "a text that is repeated": xlsx(
        book(rows(f"<row>{FIRST_TEXT * 16_384}</row>"), texts=[f"<t>{'x' * 100_000}</t>"]),
        "A row has more than 5,000,000 characters",
    ),
    "a cell at the end of a sheet": xlsx(
        book(
            f'<dimension ref="A1:XFD1048576"/><sheetData>{row("title", "body")}'
            '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
        ),
        "first row names 2 columns",
    ),
}
