"""The job of an export. It checks the user's permissions again when it runs."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, QueryDict

from backoffice.kit.jobs.progress import Progress
from content.base.files import FORMATS
from content.base.resource import PAGE
from content.base.tables import FileError


def export_file(
    progress: Progress, *, model: str, resource: int, kind: str, fields: list[str] | None, query: str, name: str
) -> None:
    """Write the objects on a list to a file, which the job then offers.

    Args:
        resource: the index of the resource in the admin of `model`, which is a label such as `news.Post`.
        kind: the title of the format.
        fields: the names of the columns; None for all.
        query: the list's query string, with its filters and search.
        name: the name of the file.

    Raises:
        PermissionDenied: the user may not export.
        ValidationError: the format can't hold so many rows.
    """
    pages, request = _opened(model, progress, query)
    if not pages.has_export_permission(request):
        raise PermissionDenied
    objects = pages.get_export_queryset(request)
    rules = pages.get_export_resource_classes(request)[resource](**pages.get_export_resource_kwargs(request))
    progress.total(objects.count())
    headers, rows = rules.table(objects, fields)
    file_format = FORMATS[kind]()
    try:
        with progress.file(name, file_format.get_content_type()) as out:
            file_format.write(out, headers, _counted(progress, rows))
    except FileError as error:
        raise ValidationError(str(error)) from error


def _counted(progress: Progress, rows: Iterator[list[Any]]) -> Iterator[list[Any]]:
    """Yield the rows, and report the progress after each page."""
    while page := list(islice(rows, PAGE)):
        yield from page
        progress.advance(len(page))


def _opened(model: str, progress: Progress, query: str = "") -> tuple[Any, HttpRequest]:
    """Return the model's admin, and the request by which the user would open its list, with filters and permissions."""
    request = HttpRequest()
    request.method, request.GET, request.user = "GET", QueryDict(query), progress.user
    return admin.site.get_model_admin(apps.get_model(model)), request
