"""What a workbook says of its sheets, and how the cells of each format are shown."""

from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from openpyxl.styles.numbers import BUILTIN_FORMATS

from content.base.files.archive import Archive
from content.base.files.numbers import MAX_CODES
from content.base.files.texts import Texts
from content.base.files.xml import Attributes, DamagedError, Reader, short
from content.base.tables import FileError

MAX_UNPACKED = 100_000_000  # bytes of the list of sheets, or of the formats
MAX_STYLES = 100_000  # Excel has 65,490
MAX_SHEETS = 10_000  # as LibreOffice has
# Dates and times in the languages of East Asia, which the file does not spell: ECMA-376 part 1, 18.8.30.
EAST_ASIAN = {*range(27, 37), *range(50, 59)}


@dataclass(frozen=True)
class Sheet:
    name: str
    relation: str
    is_visible: bool
    part: str = ""


@dataclass(frozen=True, kw_only=True)
class Workbook:
    """A workbook whose cells can be read.

    Attributes:
        sheet: the sheet to read.
        others: the names of the other sheets.
        texts: the texts that cells share.
        formats: the format of each style, such as `0.00`.
        is_1904: whether days are counted from 1904, as Excel for Mac did.
        is_uncalculated: whether the results of formulas in the file are not to be trusted, as the file says.
    """

    sheet: Sheet
    others: tuple[str, ...]
    texts: Texts
    formats: tuple[str, ...]
    is_1904: bool
    is_uncalculated: bool


def workbook_of(archive: Archive) -> Workbook:
    """Read all of a workbook but its cells.

    Raises:
        DamagedError: it is not an XLSX workbook.
        FileError: there is no visible sheet.
    """
    main = next((name for kind, name in archive.relations("").values() if kind == "officeDocument"), "xl/workbook.xml")
    relations = archive.relations(main)
    book = _Book()
    _read(archive, main, book)
    sheets = [
        Sheet(sheet.name, sheet.relation, sheet.is_visible, relations[sheet.relation][1])
        for sheet in book.sheets
        if relations.get(sheet.relation, ("",))[0] == "worksheet"
    ]
    chosen = _chosen(sheets, book)
    parts = dict(relations.values())
    texts, formats = Texts(), _Formats()
    if parts.get("sharedStrings", "") in archive:
        with archive.open(parts["sharedStrings"]) as part:
            texts = Texts(part)
    if parts.get("styles", "") in archive:
        _read(archive, parts["styles"], formats)
    return Workbook(
        sheet=chosen,
        others=tuple(sheet.name for sheet in sheets if sheet is not chosen),
        texts=texts,
        formats=tuple(formats.codes.get(number, "General") for number in formats.used),
        is_1904=book.is_1904,
        is_uncalculated=book.is_uncalculated,
    )


def _read(archive: Archive, name: str, reader: Reader) -> None:
    with archive.open(name) as part:
        for _block in reader.read(part, MAX_UNPACKED):
            pass


def _chosen(sheets: list[Sheet], book: "_Book") -> Sheet:
    """Return the sheet that a person sees when the workbook is opened."""
    active = book.sheets[book.active].relation if book.active < len(book.sheets) else ""
    visible = [sheet for sheet in sheets if sheet.is_visible]
    if not visible:
        raise FileError(_("The workbook has no visible sheet with cells. Show the sheet that is to be imported."))
    return next((sheet for sheet in visible if sheet.relation == active), visible[0])


def _is_set(attributes: Attributes, name: str) -> bool:
    return attributes.get(name) in ("1", "true", "on")


def _number(attributes: Attributes, name: str) -> int:
    text = attributes.get(name, "0")
    if not text.isdecimal():
        raise DamagedError
    return int(text[:10])


@dataclass
class _Book(Reader):
    sheets: list[Sheet] = field(default_factory=list)
    active: int = 0
    is_1904: bool = False
    is_uncalculated: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "sheet":
            is_visible = attributes.get("state", "visible") == "visible"
            # The id of the relation has a prefix, which tells it from `sheetId`.
            relation = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            self.sheets.append(Sheet(short(attributes.get("name", "")), short(relation), is_visible))
            if len(self.sheets) > MAX_SHEETS:
                raise DamagedError
        elif name == "workbookView" and not self.active:
            self.active = _number(attributes, "activeTab")
        elif name == "workbookPr":
            self.is_1904 = _is_set(attributes, "date1904")
        elif name == "calcPr":
            self.is_uncalculated = _is_set(attributes, "fullCalcOnLoad")


class _Formats(Reader):
    """The formats of numbers: their codes by number, and the number that each style has."""

    def __init__(self) -> None:
        super().__init__()
        self.codes: dict[int, str] = BUILTIN_FORMATS | dict.fromkeys(EAST_ASIAN, "yyyy-mm-dd")
        self.used: list[int] = []
        self._is_inside = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "numFmt":
            self.codes[_number(attributes, "numFmtId")] = short(attributes.get("formatCode", ""))
        elif name == "cellXfs":
            self._is_inside = True
        elif name == "xf" and self._is_inside:
            self.used.append(_number(attributes, "numFmtId"))
        if len(self.used) > MAX_STYLES or len(self.codes) > MAX_CODES:
            raise DamagedError

    def end(self, name: str, text: str) -> None:
        if name == "cellXfs":
            self._is_inside = False
