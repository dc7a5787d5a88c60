"""Workbooks as Excel, LibreOffice, Google Sheets and libraries write them, and as nobody should."""

import io
import re
import zipfile

import openpyxl

from tests.content.awkward.book import MAIN, RELATIONS, Sheet, book, packed, row, rows, text

FORMULA = "<f>A1&amp;B1</f>"


def size_that_is_too_small() -> bytes:
    many = "".join(row(f"T{number}", "B") for number in range(50))
    return book(f'<dimension ref="A1:B11"/>{rows(many)}')


def size_that_is_huge() -> bytes:
    headings, last = row("title", "body", number=1), row("T", "B", number=1_048_576)
    return book(f'<dimension ref="A1:XFD1048576"/><sheetData>{headings}{last}</sheetData>')


def hidden_sheet_before_the_visible_one() -> bytes:
    return book(Sheet(rows(row("Old", "B")), "Old", "hidden"), Sheet(rows(row("T", "B")), "Now"))


def active_sheet_behind_another() -> bytes:
    view = '<bookViews><workbookView activeTab="1"/></bookViews>'
    return book(Sheet(rows(row("Old", "B")), "Old"), Sheet(rows(row("T", "B")), "Now"), views=view)


def active_sheet_that_is_hidden() -> bytes:
    view = '<bookViews><workbookView activeTab="0"/></bookViews>'
    return book(Sheet(rows(row("Old", "B")), "Old", "veryHidden"), Sheet(rows(row("T", "B")), "Now"), views=view)


def no_visible_sheet() -> bytes:
    return book(Sheet(rows(row("T", "B")), state="hidden"))


def formulas_without_results() -> bytes:
    return book(rows(row("T", "B"), row("U", f"<c>{FORMULA}</c>"), row("V", f"<c>{FORMULA}<v/></c>")))


def formulas_with_results() -> bytes:
    done = f'<c t="str">{FORMULA}<v>Done</v></c>'
    return book(rows(row("T", done), row("U", "<c><f>1+1</f><v>2</v></c>")), end='<calcPr calcId="191029"/>')


def formulas_that_are_still_to_be_calculated() -> bytes:
    """As xlsxwriter does, and pandas with it: a zero stands for each result."""
    zero = f"<c>{FORMULA}<v>0</v></c>"
    return book(rows(row("T", zero)), end='<calcPr calcId="124519" fullCalcOnLoad="1"/>')


def errors_of_formulas() -> bytes:
    return book(
        rows(row('<c t="e"><v>#N/A</v></c>', "B"), row("T", '<c t="e"><f>A9</f><v>#REF!</v></c>'), row("U", "C"))
    )


def numbers_beyond_what_a_sheet_keeps() -> bytes:
    return book(
        rows(
            row("T", "<c><v>12345678901234567890</v></c>"),
            row("U", "<c><v>1.2345678901234501E+19</v></c>"),
            row("V", "<c><v>999999999999999</v></c>"),
        )
    )


def numbers_in_columns_of_texts() -> bytes:
    inside = "".join(
        f"<row><c><v>{number}</v></c>{text('B')}</row>" for number in ("2026", "1.5", "1E2", "0.30000000000000004")
    )
    return book(rows(inside))


def numbers_as_their_formats_show_them() -> bytes:
    formats = ("00000", "0%", "0.0%", "0.00", "[Red]0000", "@")
    cells = [(1, "123"), (2, "0.5"), (3, "0.125"), (4, "1.5"), (2, "0.125"), (6, "7"), (1, "1234567")]
    inside = "".join(f'<row><c s="{style}"><v>{number}</v></c>{text("B")}</row>' for style, number in cells)
    return book(rows(inside), formats=formats)


def a_percentage_where_a_number_belongs() -> bytes:
    inside = row("title", "body", "user_id") + row("T", "B", '<c s="1"><v>1</v></c>')
    return book(f"<sheetData>{inside}</sheetData>", formats=("0%",))


def dates_and_truths_where_texts_belong() -> bytes:
    date, truth = '<c s="1"><v>46350</v></c>', '<c t="b"><v>1</v></c>'
    return book(rows(row(date, "B"), row("T", truth)), formats=("dd\\.mm\\.yyyy",))


def rich_texts_and_how_they_are_pronounced() -> bytes:
    rich = '<r><t>Ri</t></r><r><rPr><b/></rPr><t xml:space="preserve">ch </t></r><rPh sb="0" eb="1"><t>no</t></rPh>'
    shared = ["<t>title</t>", "<t>body</t>", rich, "<t>a_x000D__x000A_b _x005F_x0041_</t>"]
    cells = [f'<c t="s"><v>{number}</v></c>' for number, _ in enumerate(shared)]
    return book(f"<sheetData>{row(*cells[:2])}{row(*cells[2:])}</sheetData>", texts=shared)


def quotes_before_formulas() -> bytes:
    return book(rows(row("'=1+1", "=2")))


def a_thousand_blank_rows_from_google_sheets() -> bytes:
    blank = "".join(
        f'<row r="{number}"><c r="A{number}" s="0"/><c r="B{number}" s="0"/></row>' for number in range(3, 1003)
    )
    return book(f"<sheetPr/><sheetData>{row('title', 'body', number=1)}{row('T', 'B', number=2)}{blank}</sheetData>")


def extensions_of_excel() -> bytes:
    """What Excel adds in names of its own, with elements that are called as cells and formulas are."""
    names = " ".join(f'xmlns:{name}="urn:{name}"' for name in ("x14", "xm", "x14ac"))
    line = "<x14:sparkline><xm:f>Posts!A1</xm:f><xm:sqref>C1</xm:sqref></x14:sparkline>"
    cell = "<x14:row><x14:c><x14:v>9</x14:v></x14:c></x14:row>"
    posts = rows(row("T", "B").replace("<row", f'<row {names} spans="1:2" x14ac:dyDescent="0.25"'))
    return book(f"{posts}<extLst><ext {names}>{line}{cell}</ext></extLst>")


def rows_and_cells_with_gaps() -> bytes:
    only = text("T").replace("<c ", '<c r="B7" ')
    return book(f"<sheetData>{row('body', 'title', number=3)}{row(only, number=7)}</sheetData>")


def blank_cells_around_the_data() -> bytes:
    styled = '<c s="0"/>' * 5
    inside = f"<row>{text('title')}{text('body')}{styled}</row><row>{text('T')}{text('B')}{styled}{text('')}</row>"
    return book(f"<sheetData>{inside}<row>{styled}</row><row/></sheetData>")


def a_cell_beyond_the_headings() -> bytes:
    return book(rows(row("T", "B"), row("U", "C", '<c r="XFD3"><v>1</v></c>')))


def parts_of(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def names_with_a_prefix() -> bytes:
    """As programs on .NET write them, with backslashes in the archive."""
    inside = re.sub("<(/?)", r"<\1x:", rows(row("T", "B")))
    parts = parts_of(book("")) | {"xl/worksheets/sheet1.xml": f'<x:worksheet xmlns:x="{MAIN}">{inside}</x:worksheet>'}
    return packed({name.replace("/", "\\").replace("workbook.xml", "Workbook.xml"): parts[name] for name in parts})


def strict_open_xml() -> bytes:
    strict = "http://purl.oclc.org/ooxml"
    parts = parts_of(book(rows(row("T", "B"))))
    for old, new in ((MAIN, f"{strict}/spreadsheetml/main"), (RELATIONS, f"{strict}/officeDocument/relationships")):
        parts = {name: part.replace(old, new) for name, part in parts.items()}
    return packed(parts)


def written_by_openpyxl() -> bytes:
    written = openpyxl.Workbook()
    sheet = written.active
    assert sheet is not None
    sheet.append(["Title", "Body"])
    sheet.append(["Grüße", "two\nlines"])
    written.create_sheet("Notes").append(["x"])
    stream = io.BytesIO()
    written.save(stream)
    return stream.getvalue()


def entities_that_grow() -> bytes:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    sheet = f"{bomb}<worksheet>{rows(row('&b;', 'B'))}</worksheet>"
    return packed(parts_of(book("")) | {"xl/worksheets/sheet1.xml": sheet})


def a_text_that_is_not_there() -> bytes:
    return book(rows(row('<c t="s"><v>7</v></c>', "B")), texts=["<t>x</t>"])


def a_sheet_that_is_cut() -> bytes:
    return book("").replace(b"PK\x05\x06", b"PK\x05\x07")


def csv_named_xlsx() -> bytes:
    return b"title,body\nT,B\n"


def an_old_workbook_or_one_with_a_password() -> bytes:
    return bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
