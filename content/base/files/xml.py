"""Reads a part of a workbook, block by block, with bounds: its size is chosen by whoever made the file."""

from collections.abc import Iterator
from time import thread_time
from typing import IO
from xml.parsers.expat import ExpatError, ParserCreate, XMLParserType

from django.utils.translation import gettext as _

from content.base.tables import FileError

BLOCK = 4 * 1024  # bytes read at a time; what they name, such as shared texts, is kept until they are handled
DEEPEST = 100  # elements within each other; Excel writes about ten
LONGEST_NAME = 255  # characters of a sheet's name or of a format's code, as in Excel
LONGEST_TAG = 1024 * 1024  # bytes; a tag is kept whole
MAX_SECONDS = 300.0  # of a processor, for one part: elements without a cell can be many, too
LONGEST_TEXT = 131_072  # characters of a text, as of a CSV field in Python; Excel's cells hold 32,767
Attributes = dict[str, str]


class DamagedError(Exception):
    """The workbook is not as the format says."""


class Reader:
    """The elements of a part. Subclasses handle their starts and ends, and say in `keeps` of which the text matters.

    The names of elements come without the root's prefix, which programs choose.

    Attributes:
        added: the characters that the part took from another one, which count as if they stood here.
    """

    keeps: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._prefix = ""
        self._depth = self.added = 0
        self._text: list[str] | None = None
        self._length = 0

    def start(self, name: str, attributes: Attributes) -> None:
        """Handle the beginning of an element."""

    def end(self, name: str, text: str) -> None:
        """Handle the end of an element; its text is empty unless it is one of `keeps`."""

    def read(self, part: IO[bytes], most: int) -> Iterator[None]:
        """Read the part, and yield after each block.

        Args:
            most: the bytes that it may have.

        Raises:
            DamagedError: the part is not XML, or has a tag or a text that no program writes.
            FileError: the part is too large, or takes too long to read.
        """
        parser, size, seconds = self._parser(), 0, 0.0
        try:
            while True:
                began = thread_time()
                if not (block := part.read(BLOCK)):
                    break
                size += len(block)
                parser.Parse(block)
                seconds += thread_time() - began
                if seconds > MAX_SECONDS:
                    raise FileError(_("The sheet takes too long to read. Split it, or use CSV."))
                if size + self.added > most:
                    words = {"most": most // 10**6}
                    raise FileError(_("The sheet unpacks to more than %(most)s MB. Split it, or use CSV.") % words)
                if size - parser.CurrentByteIndex > LONGEST_TAG:
                    raise DamagedError
                yield
            parser.Parse(b"", True)  # noqa: FBT003 - it is the end
        except ExpatError as error:
            raise DamagedError from error

    def _parser(self) -> XMLParserType:
        parser = ParserCreate()
        parser.buffer_text = True
        parser.EndElementHandler, parser.CharacterDataHandler = self._end, self._add
        parser.StartDoctypeDeclHandler = _refuse  # its entities could grow without bounds

        def start_root(name: str, attributes: Attributes) -> None:
            self._prefix = "".join(name.rpartition(":")[:2])
            parser.StartElementHandler = self._start
            self._start(name, attributes)

        parser.StartElementHandler = start_root
        return parser

    def _start(self, name: str, attributes: Attributes) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise DamagedError
        if self._prefix:
            name = name.removeprefix(self._prefix)
        if name in self.keeps:
            self._text, self._length = [], 0
        self.start(name, attributes)

    def _end(self, name: str) -> None:
        self._depth -= 1
        if self._prefix:
            name = name.removeprefix(self._prefix)
        text = ""
        if name in self.keeps:
            text, self._text = "".join(self._text or ()), None
        self.end(name, text)

    def _add(self, text: str) -> None:
        if self._text is None:
            return
        self._text.append(text)
        self._length += len(text)
        if self._length > LONGEST_TEXT:
            raise DamagedError


def short(name: str) -> str:
    """Return a name that is kept.

    Raises:
        DamagedError: it is longer than any program writes.
    """
    if len(name) > LONGEST_NAME:
        raise DamagedError
    return name


def _refuse(*_arguments: object) -> None:
    raise DamagedError
