"""CSV files of the program's own tables, for spreadsheets; and cells that a spreadsheet must not run.

Spreadsheet programs run a cell that begins with `=`, `+`, `-` or `@` as a formula
(https://owasp.org/www-community/attacks/CSV_Injection). So a `'` is written before such a text, and one is removed on
reading. A text that has such quotes already gets one more, so nothing is lost.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.http import StreamingHttpResponse
from django.utils.translation import get_language, override

FORMULA = re.compile(r"'*[=+\-@\t\r]")
ESCAPED = re.compile(r"'+[=+\-@\t\r]")
BOM = "\ufeff"  # without it Excel shows broken letters


def escape(cell: object) -> object:
    """Return the cell with a `'` before a text that a spreadsheet would run; any other cell unchanged."""
    return f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) else cell


def unescape(cell: object) -> object:
    """Return the cell that `escape` was given."""
    return cell[1:] if isinstance(cell, str) and ESCAPED.match(cell) else cell


def csv_response(name: str, titles: Iterable[str], rows: Iterable[Iterable[object]]) -> StreamingHttpResponse:
    """Return a download of these rows, which are written as they are read."""
    lines = _lines(titles, rows, get_language() or settings.LANGUAGE_CODE)
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


def _lines(titles: Iterable[str], rows: Iterable[Iterable[object]], language: str) -> Iterator[str]:
    """Yield the lines; they are made once the request, with its reader's language, is over."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(titles)
    yield BOM + buffer.getvalue()
    with override(language):
        for row in rows:
            buffer.seek(0)
            buffer.truncate()
            writer.writerow(map(_cell, row))
            yield buffer.getvalue()


def _cell(value: object) -> object:
    return "" if value is None else escape(value if isinstance(value, int) else str(value))
