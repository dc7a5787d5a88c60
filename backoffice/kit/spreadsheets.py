"""CSV files of the program's own tables, for spreadsheets."""

import csv
import io
import re
from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse

FORMULA = re.compile(r"'*[=+\-@\t\r]")  # what spreadsheets run: https://owasp.org/www-community/attacks/CSV_Injection
BOM = "\ufeff"  # without it Excel shows broken letters


def csv_response(name: str, titles: Iterable[str], rows: Iterable[Iterable[object]]) -> StreamingHttpResponse:
    """Return a download of these rows, which are written as they are read."""
    lines = _lines(titles, rows)
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


def _lines(titles: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(titles)
    yield BOM + buffer.getvalue()
    for row in rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow(map(_cell, row))
        yield buffer.getvalue()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if FORMULA.match(text) and not isinstance(value, int) else text
