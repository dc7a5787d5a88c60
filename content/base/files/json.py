"""JSON: a list of objects, or objects one after the other as in NDJSON (JSON Lines)."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from content.base import json_items
from content.base.files import encoding
from content.base.files.encoding import Encoding, text_of
from content.base.files.format import FileFormat
from content.base.tables import MAX_COLUMNS, MISSING, FileError, Found, Row, Table


class JSON(FileFormat):
    title, extension, content_type = "JSON", "json", "application/json"

    def create_dataset(self, in_stream: bytes | Path) -> Table:
        coded = encoding.detect(in_stream, "JSON", may_be_windows=False)
        names: dict[str, None] = {}
        for _number, record in _records(in_stream, coded):
            names |= dict.fromkeys(record)
            if len(names) > MAX_COLUMNS:
                break
        headers = list(names)

        def rows() -> Iterator[Row]:
            for number, record in _records(in_stream, coded):
                yield number, [record.get(name, MISSING) for name in headers]

        return Table(headers, rows, Found(encoding=coded.name))

    def write(self, out: BinaryIO, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        before = "[\n"
        for row in rows:
            record = {name: cell for name, cell in zip(headers, row, strict=True) if cell is not MISSING}
            out.write(f"{before}{json.dumps(record, ensure_ascii=False, indent=1, default=str)}".encode())
            before = ",\n"
        out.write(b"[]" if before == "[\n" else b"\n]")


def _records(source: bytes | Path, coded: Encoding) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield the objects with their numbers from 1.

    Raises:
        FileError: the file is not JSON, or holds something else.
    """
    with text_of(source, coded) as text:
        try:
            for number, record in enumerate(json_items.items(text), 1):
                if not isinstance(record, dict):
                    raise _not_records()
                yield number, record
        except json_items.NotAListError as error:
            raise _not_records() from error
        except (ValueError, RecursionError) as error:
            raise FileError(_("The file is not JSON: %(problem)s.") % {"problem": error}) from error


def _not_records() -> FileError:
    return FileError(_('The file must hold a list of objects, such as [{"id": 1, …}, {"id": 2, …}].'))
