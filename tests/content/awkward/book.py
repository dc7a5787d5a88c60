"""Workbooks written by hand, where no library would write what other programs do."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from xml.sax.saxutils import quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"

FIRST_TEXT = '<c t="s"><v>0</v></c>'  # a cell that names the first of the texts that cells share


def text(value: str) -> str:
    return f'<c t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'


def row(*cells: str, number: int | None = None) -> str:
    """Return a row of cells; a text that is no element becomes a text cell."""
    place = f' r="{number}"' if number else ""
    return f"<row{place}>{''.join(cell if cell.startswith('<') else text(cell) for cell in cells)}</row>"


def rows(*inside: str) -> str:
    """Return the sheet of posts with these rows below its headings."""
    return f"<sheetData>{row('title', 'body')}{''.join(inside)}</sheetData>"


@dataclass(frozen=True)
class Sheet:
    inside: str
    name: str = "Posts"
    state: str = "visible"


def book(
    *sheets: Sheet | str,
    texts: Sequence[str] | None = None,
    formats: Sequence[str] = (),
    settings: str = "",
    views: str = "",
    end: str = "",
) -> bytes:
    """Return a workbook.

    Args:
        sheets: the sheets, or what is in the only one.
        texts: what is in each shared text.
        formats: the codes of the styles from 1 on.
        settings: the element `workbookPr`.
        views: the element `bookViews`.
        end: elements at the end of the workbook.
    """
    listed = [sheet if isinstance(sheet, Sheet) else Sheet(sheet) for sheet in sheets]
    tags = "".join(
        f'<sheet name="{sheet.name}" sheetId="{number}" state="{sheet.state}" r:id="rId{number}"/>'
        for number, sheet in enumerate(listed, 1)
    )
    inside = f"{settings}{views}<sheets>{tags}</sheets>{end}"
    parts = {
        "_rels/.rels": _relations(("rIdMain", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">{inside}</workbook>',
        "xl/_rels/workbook.xml.rels": _relations(
            *((f"rId{number}", "worksheet", f"worksheets/sheet{number}.xml") for number, _ in enumerate(listed, 1)),
            *([("rIdTexts", "sharedStrings", "sharedStrings.xml")] if texts is not None else []),
            *([("rIdStyles", "styles", "/xl/styles.xml")] if formats else []),
        ),
    }
    for number, sheet in enumerate(listed, 1):
        parts[f"xl/worksheets/sheet{number}.xml"] = f'<worksheet xmlns="{MAIN}">{sheet.inside}</worksheet>'
    if texts is not None:
        inside = "".join(f"<si>{shared}</si>" for shared in texts)
        parts["xl/sharedStrings.xml"] = f'<sst xmlns="{MAIN}" count="1">{inside}</sst>'
    if formats:
        parts["xl/styles.xml"] = _styles(formats)
    return packed({"[Content_Types].xml": _types(parts), **parts})


def _types(parts: dict[str, str]) -> str:
    kinds = {"workbook": "sheet.main", "sheet": "worksheet", "sharedStrings": "sharedStrings", "styles": "styles"}
    overrides = "".join(
        f'<Override PartName="/{name}" ContentType="{TYPES}.{kinds[PurePath(name).stem.rstrip("0123456789")]}+xml"/>'
        for name in parts
        if not name.endswith(".rels")
    )
    rels = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    return f'<Types xmlns="{PACKAGE.replace("relationships", "content-types")}">{rels}{overrides}</Types>'


def _relations(*given: tuple[str, str, str]) -> str:
    inside = "".join(
        f'<Relationship Id="{key}" Type="{RELATIONS}/{kind}" Target="{target}"/>' for key, kind, target in given
    )
    return f'<Relationships xmlns="{PACKAGE}">{inside}</Relationships>'


def _styles(formats: Sequence[str]) -> str:
    codes = "".join(f'<numFmt numFmtId="{164 + i}" formatCode={quoteattr(code)}/>' for i, code in enumerate(formats))
    styles = "".join(f'<xf numFmtId="{164 + i}"/>' for i, _ in enumerate(formats))
    return (
        f'<styleSheet xmlns="{MAIN}"><numFmts>{codes}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
        f'<cellXfs><xf numFmtId="0"/>{styles}</cellXfs></styleSheet>'
    )


def packed(parts: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, inside in parts.items():
            archive.writestr(name, inside)
    return stream.getvalue()
