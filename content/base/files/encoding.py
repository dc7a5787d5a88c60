"""Detects how the text of a file is encoded. What is detected holds for the whole file, not for its beginning alone.

1. A byte order mark decides. Without one, a zero byte among the first two means UTF-16.
2. Else it is UTF-8 if all of it can be read so.
3. Else it is Windows-1252, as Excel saves CSV in western languages, unless it is mostly UTF-8: then some of its bytes
   are damaged, and to read the file as Windows-1252 would break every other letter.
"""

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from django.utils.translation import gettext as _

from backoffice.kit.numbers import grouped
from content.base.files.source import check_text_file, opened
from content.base.tables import FileError

BLOCK = 256 * 1024  # bytes read at a time
LEAST_DAMAGED = 10  # wrong bytes for each letter that is right in UTF-8, from which on it is right by chance
ESCAPED = re.compile("[\udc80-\udcff]")
LETTER = re.compile("[^\x00-\x7f\udc80-\udcff]")


@dataclass(frozen=True)
class Encoding:
    """An encoding: its name for people, and its codec."""

    name: str
    codec: str


UTF_8, WINDOWS = Encoding("UTF-8", "utf-8"), Encoding("Windows-1252", "cp1252")


def detect(source: bytes | Path, title: str, *, may_be_windows: bool) -> Encoding:
    """Return the encoding in which all of the file can be read.

    Args:
        title: the format's name.
        may_be_windows: whether the format is ever written in Windows-1252.

    Raises:
        FileError: there is no such encoding.
    """
    check_text_file(source)
    if (encoding := _marked(source)) is not UTF_8:
        check(source, encoding, title)
        return encoding
    wrong = _first_wrong_byte(source, UTF_8.codec)
    if wrong is None:
        return UTF_8
    if may_be_windows and not _is_mostly_utf_8(source) and _first_wrong_byte(source, WINDOWS.codec) is None:
        return WINDOWS
    raise _refusal(source, UTF_8, title, wrong)


def check(source: bytes | Path, encoding: Encoding, title: str) -> None:
    """Refuse a file that can't be read in the encoding.

    Raises:
        FileError: a byte of the file is wrong.
    """
    if (wrong := _first_wrong_byte(source, encoding.codec)) is not None:
        raise _refusal(source, encoding, title, wrong)


@contextmanager
def text_of(source: bytes | Path, encoding: Encoding) -> Iterator[TextIO]:
    """Open a file of which the encoding is known, without its byte order mark and with its own line breaks."""
    codec = "utf-8-sig" if encoding.codec == "utf-8" else encoding.codec
    with opened(source) as file, TextIOWrapper(file, encoding=codec, newline="") as text:
        yield text


def _marked(source: bytes | Path) -> Encoding:
    """Return the encoding that the first bytes tell."""
    with opened(source) as file:
        first = file.read(3)
    if first == codecs.BOM_UTF8:
        return Encoding("UTF-8 with BOM", "utf-8")
    if first[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return Encoding("UTF-16", "utf-16")
    if len(first) > 1 and first[:2].count(0) == 1:
        return Encoding("UTF-16", "utf-16-be" if first[0] == 0 else "utf-16-le")
    return UTF_8


def _blocks(source: bytes | Path) -> Iterator[bytes]:
    """Yield the file in blocks, and an empty one at its end."""
    with opened(source) as file:
        while block := file.read(BLOCK):
            yield block
    yield b""


def _first_wrong_byte(source: bytes | Path, codec: str) -> int | None:
    """Return the place, from 0, of the first byte that can't be read; None if all can be read."""
    decoder, position = codecs.getincrementaldecoder(codec)(), 0
    for block in _blocks(source):
        rest = len(decoder.getstate()[0])
        try:
            decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            return position - rest + error.start
        position += len(block)
    return None


def _is_mostly_utf_8(source: bytes | Path) -> bool:
    """Return whether letters beyond ASCII are right in UTF-8, more of them than may be right by chance."""
    decoder, right, wrong = codecs.getincrementaldecoder("utf-8")("surrogateescape"), 0, 0
    for block in _blocks(source):
        text = decoder.decode(block, final=not block)
        if not text.isascii():
            right += len(LETTER.findall(text))
            wrong += len(ESCAPED.findall(text))
    return right * LEAST_DAMAGED > wrong


def _refusal(source: bytes | Path, encoding: Encoding, title: str, wrong: int) -> FileError:
    with opened(source) as file:
        line = 1 + sum(file.read(min(BLOCK, wrong - start)).count(b"\n") for start in range(0, wrong, BLOCK))
    words = {"encoding": encoding.name, "line": grouped(line), "byte": wrong + 1, "format": title}
    return FileError(
        _(
            "The file is not %(encoding)s text: something in line %(line)s can't be read (byte %(byte)s is wrong). "
            "Save it as %(format)s with the encoding UTF-8, or use XLSX."
        )
        % words
    )
