"""What the jobs of import and export do. They ask anew for everything that the person may."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, QueryDict

from backoffice.kit.jobs.progress import Progress
from content.base.files import FORMATS, FileError
from content.base.import_result import ContentResult
from content.base.resource import PAGE
from content.base.uploads import UploadGoneError, UploadStorage


def import_file(
    progress: Progress, *, model: str, resource: int, kind: str, upload: str, name: str
) -> dict[str, Any] | None:
    """Import an upload, all of it or nothing.

    Args:
        model: `news.Post`. resource: which of its admin's. kind: the title of a format.
        upload: what `UploadStorage.take` gave; it is gone afterwards. name: what the file is called.

    Raises:
        ValidationError: it can't be read, or holds wrong rows, which the job then names.
    """
    pages, request = _admin(model), _request(progress)
    if not pages.has_import_permission(request):
        raise PermissionDenied
    waiting = UploadStorage(name=upload)
    try:
        rows = FORMATS[kind]().create_dataset(waiting.read())
        with transaction.atomic():
            rules = pages.get_import_resource_classes(request)[resource](**pages.get_import_resource_kwargs(request))
            result = rules.import_data(rows, rollback_on_validation_errors=True, file_name=name, user=progress.user)
            if result.is_clean():
                progress.total(len(rows))
                progress.advance(len(rows))  # last: what was given up meanwhile is rolled back
    except (FileError, UploadGoneError) as error:
        raise ValidationError(str(error)) from error
    finally:
        waiting.remove()
    if not result.is_clean():
        _refuse(progress, result, len(rows))
    return {word: result.totals[kind] for word, kind in ContentResult.WORDS.items()}


def _refuse(progress: Progress, result: ContentResult, total: int) -> None:
    """Report the rows that are wrong, and end the job.

    Raises:
        ValidationError: always.
    """
    wrong = result.wrong_rows()
    progress.total(total)
    progress.fail_all((f"row {number}", message) for number, message in wrong)
    words = " ".join(result.base_problems()) or f"{len(wrong):,} of {total:,} rows are wrong."
    raise ValidationError(f"Nothing was imported. {words} Correct the file and import it again.")


def export_file(
    progress: Progress, *, model: str, resource: int, kind: str, fields: list[str] | None, query: str, name: str
) -> None:
    """Write what the list shows to a file, which the job then offers.

    Args:
        model, resource, kind: as above. fields: the columns; None: all.
        query: the list's own, which filters. name: what the file is called.

    Raises:
        ValidationError: the format can't hold so many rows.
    """
    pages, request = _admin(model), _request(progress, query)
    if not pages.has_export_permission(request):
        raise PermissionDenied
    found = pages.get_export_queryset(request)
    rules = pages.get_export_resource_classes(request)[resource](**pages.get_export_resource_kwargs(request))
    progress.total(found.count())
    headers, rows = rules.table(found, fields)
    to = FORMATS[kind]()
    try:
        with progress.file(name, to.get_content_type()) as out:
            to.write(out, headers, _counted(progress, rows))
    except FileError as error:
        raise ValidationError(str(error)) from error


def _counted(progress: Progress, rows: Iterator[list[Any]]) -> Iterator[list[Any]]:
    while page := list(islice(rows, PAGE)):
        yield from page
        progress.advance(len(page))


def _admin(model: str) -> Any:
    return admin.site.get_model_admin(apps.get_model(model))


def _request(progress: Progress, query: str = "") -> HttpRequest:
    """What the person would ask the list for: filters, search and permissions are then the list's own."""
    request = HttpRequest()
    request.method, request.GET, request.user = "GET", QueryDict(query), progress.user
    return request
