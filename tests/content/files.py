"""Files as people import and export them in the admin."""

import csv
import io
from typing import Any, cast

import openpyxl
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from backoffice.kit.urls import admin_url
from content.base.imports.model import Import

FORMATS = ["csv", "xlsx", "json"]


def preview(client: Client, model: Any, data: str | bytes, kind: str = "csv", name: str | None = None) -> Any:
    """Upload a small file, and return the page of its import; that of the form, if the file can't be read."""
    file = SimpleUploadedFile(name or f"rows.{kind}", data if isinstance(data, bytes) else data.encode())
    form = {"import_file": file, "format": FORMATS.index(kind), "resource": ""}
    return client.post(admin_url(model, "import"), form, follow=True)


def confirm(client: Client, previewed: Any, **options: Any) -> Any:
    """Import the rows of a previewed file, all of which are right."""
    assert previewed.context["may_confirm"], previewed.content.decode()
    return act(client, previewed.context["record"], "confirm", **options)


def act(client: Client, record: Import, name: str, **form: Any) -> Any:
    """Press a button on the page of an import, and return the page that is shown then."""
    return client.post(reverse(f"admin:content_import_{name}", args=[record.pk]), form, follow=True)


def load(client: Client, model: Any, data: str | bytes, kind: str = "csv", name: str | None = None) -> Import:
    """Import a file in which nothing is wrong."""
    page = preview(client, model, data, kind, name)
    if page.context["report"].right:
        page = confirm(client, page)
    record: Import = page.context["record"]
    assert record.state in ("done", "ready"), record.error
    assert not record.failed, page.context["report"].problems
    return record


def export(client: Client, model: Any, kind: str = "csv", query: str = "") -> bytes:
    """Return the file with all columns of the objects on the list."""
    resource: Any = cast("Any", admin.site.get_model_admin(model)).resource_classes[0]
    columns = {f"{resource.__name__.lower()}_{name}": "on" for name in resource._meta.fields}
    form = {"format": FORMATS.index(kind), "resource": "", **columns}
    answer: Any = client.post(f"{admin_url(model, 'export')}?{query}", form)
    assert "attachment" in answer["Content-Disposition"]
    return bytes(answer.getvalue())


def table(*rows: Any) -> str:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows(rows)
    return stream.getvalue()


def workbook(*rows: Any) -> bytes:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(row)
    for cell in (cell for row in sheet for cell in row if cell.data_type == "e"):
        cell.data_type = "s"  # the library takes the text #N/A for the error
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def rows_of(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


def cells_of(data: bytes) -> list[tuple[Any, ...]]:
    sheet: Any = openpyxl.load_workbook(io.BytesIO(data)).active
    return list(sheet.iter_rows(values_only=True))
