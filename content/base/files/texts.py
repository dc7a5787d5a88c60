"""The texts that the cells of a workbook share, kept in a file: memory does not grow with them."""

import mmap
import re
from array import array
from typing import IO

from backoffice.kit import waiting_files
from content.base.files.xml import LONGEST_TEXT, Attributes, DamagedError, Reader

MAX_TEXTS = 5_000_000  # 8 bytes each are kept in memory
MAX_UNPACKED = 500_000_000  # bytes
# ECMA-376 part 1, 22.9.2.19 (ST_Xstring): characters that XML can't hold are written _xHHHH_, and so is text of that
# form.
ENCODED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def decode(text: str) -> str:
    """Return the text of a cell with its characters that XML can't hold."""
    return ENCODED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


class Texts:
    """The shared texts by their number.

    Raises:
        DamagedError: there are too many, or there is no text of this number.
    """

    def __init__(self, part: IO[bytes] | None = None) -> None:
        self._ends = array("Q", [0])
        with waiting_files.scratch() as file:
            if part is not None:
                for _block in _TextsReader(file, self._ends).read(part, MAX_UNPACKED):
                    pass
            file.flush()
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self._ends[-1] else b""

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < len(self._ends) - 1:
            raise DamagedError
        return self._bytes[self._ends[number] : self._ends[number + 1]].decode()


class _TextsReader(Reader):
    keeps = frozenset(["t"])

    def __init__(self, file: IO[bytes], ends: "array[int]") -> None:
        super().__init__()
        self.file, self.ends, self.parts = file, ends, Parts()

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "si":
            self.parts = Parts()
        self.parts.start(name)

    def end(self, name: str, text: str) -> None:
        self.parts.end(name, text)
        if name == "si":
            if len(self.ends) > MAX_TEXTS:
                raise DamagedError
            self.ends.append(self.ends[-1] + self.file.write(self.parts.text().encode()))


class Parts:
    """The parts of a rich text, without how East Asian words are pronounced (`rPh`)."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._is_phonetic = False

    def start(self, name: str) -> None:
        if name == "rPh":
            self._is_phonetic = True

    def end(self, name: str, text: str) -> None:
        if name == "rPh":
            self._is_phonetic = False
        elif name == "t" and not self._is_phonetic:
            self._parts.append(text)
            self._length += max(len(text), 1)
            if self._length > LONGEST_TEXT:
                raise DamagedError

    def text(self) -> str:
        return "".join(self._parts)
