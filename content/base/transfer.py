"""The admin's import and export pages."""

from itertools import islice
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files import File
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from import_export.admin import ImportExportMixin
from import_export.formats.base_formats import Format
from unfold.contrib.import_export.forms import ImportForm, SelectableFieldsExportForm

from backoffice.kit.jobs.api import file_response
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.service import start
from content.base.files import FORMATS, csv_for_excel
from content.base.tables import FileError, max_rows
from content.base.uploads import UploadStorage
from content.base.urls import admin_url

WORK = "content.base.transfer_work"
MAX_BYTES = 500 * 1000 * 1000
# The most rows that a request judges for the preview, imports or exports itself; a worker does more.
JUDGED_HERE = 20_000
IMPORTED_HERE = 1_000
EXPORTED_HERE = 5_000


class ContentImportForm(ImportForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        most = f"At most {MAX_BYTES // 10**6} MB and {max_rows():,} rows."
        self.fields["import_file"].help_text = f"CSV, XLSX or JSON, as spreadsheet programs save them. {most}"
        self.fields["format"].help_text = "Chosen from the file's name; choose another one if that is wrong."

    def clean_import_file(self) -> "File[bytes]":
        file: File[bytes] = self.cleaned_data["import_file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(f"The file is larger than {MAX_BYTES // 10**6} MB. Split it.", code="too_large")
        return file


class ContentExportForm(SelectableFieldsExportForm):  # type: ignore[misc]
    def __init__(self, formats: list[type[Format]], *args: Any, **options: Any) -> None:
        super().__init__(formats, *args, **options)
        self.fields["format"].initial = str(formats.index(csv_for_excel()))
        self.fields["format"].help_text = _(
            "XLSX is right in every spreadsheet program. Excel opens its own CSV with a double click; it expects "
            "semicolons where people write 1,5 and commas where they write 1.5. Plain CSV and JSON are for programs."
        )


class TransferAdmin(ImportExportMixin):  # type: ignore[misc]
    """Import with a preview, and export, each with its own permission."""

    import_template_name = "content/import.html"
    import_form_class = ContentImportForm
    export_form_class = ContentExportForm
    formats = list(FORMATS.values())
    tmp_storage_class = UploadStorage
    skip_admin_log = True  # each object has its history

    def has_export_permission(self, request: HttpRequest) -> bool:
        allowed: bool = super().has_export_permission(request)
        return allowed and self.has_view_or_change_permission(request)

    def get_import_resource_kwargs(self, request: HttpRequest, **_options: object) -> dict[str, object]:
        return {"user": request.user}

    get_export_resource_kwargs = get_import_resource_kwargs

    def get_import_context_data(self, **_options: object) -> dict[str, object]:
        return {"columns": [column.column_name for column in self.resource_classes[0]().get_import_fields()]}

    def get_import_data_kwargs(self, **_options: object) -> dict[str, object]:
        return {"first": JUDGED_HERE}

    def write_to_tmp_storage(self, import_file: "File[bytes]", _format: Format) -> UploadStorage:
        upload = UploadStorage()
        upload.save(import_file.chunks())
        return upload

    def add_data_read_fail_error_to_form(self, form: forms.Form, e: Exception) -> None:
        if not isinstance(e, FileError):
            e = FileError("The file can't be read. Is it in the format that was chosen, and not damaged?")
        form.add_error("import_file", str(e))

    @method_decorator(require_POST)
    def process_import(self, request: HttpRequest, **_options: object) -> HttpResponse:
        """Import the previewed file in a job, which runs in this request if the file is small."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = self.create_confirm_form(request)
        try:
            if not form.is_valid():
                raise ValueError
            job = self._import(request, form)
        except FileError as error:
            messages.warning(request, str(error))
        except (ValueError, IndexError):  # the form does not validate the numbers of format and resource
            messages.error(request, "The preview was not sent back as it was. Upload the file again.")
        else:
            if job.state != Job.State.DONE:
                return redirect("admin:jobs_job_change", job.pk)
            counts = "Imported: {new} new, {changed} changed, {unchanged} unchanged."
            messages.success(request, counts.format(**(job.result or {})))
            return redirect(admin_url(self.model, "changelist"))
        return redirect(admin_url(self.model, "import"))

    def _import(self, request: HttpRequest, form: forms.Form) -> Job:
        """Start the job of an import.

        Raises:
            FileError: the file can't be read, was imported already, or is too old.
        """
        kind = self.get_import_formats()[int(form.cleaned_data["format"])]
        self.choose_import_resource_class(form, request)
        upload = UploadStorage(name=form.cleaned_data["import_file_name"])
        name = form.cleaned_data["original_file_name"]
        here = not any(islice(kind().create_dataset(upload.read()), IMPORTED_HERE, None))
        arguments = self._arguments(kind, form) | {"upload": upload.take(), "name": name}
        title = f"Import {self.opts.verbose_name_plural} from {name}"
        return start(f"{WORK}.import_file", user=request.user, title=title, arguments=arguments, here=here)

    def _do_file_export(
        self, file_format: Format, request: HttpRequest, queryset: QuerySet[Any], export_form: Any = None
    ) -> HttpResponseBase:
        """Return the file, or redirect to the page of the job that writes it."""
        arguments = self._arguments(type(file_format), export_form) | {
            "fields": self.get_export_resource_fields_from_form(export_form),
            "query": request.GET.urlencode(),
            "name": self.get_export_filename(request, queryset, file_format),
        }
        title = f"Export {self.opts.verbose_name_plural} as {file_format.get_title()}"
        here = queryset.order_by()[: EXPORTED_HERE + 1].count() <= EXPORTED_HERE
        job = start(f"{WORK}.export_file", user=request.user, title=title, arguments=arguments, here=here)
        return file_response(job) if job.state == Job.State.DONE else redirect("admin:jobs_job_change", job.pk)

    def _arguments(self, kind: type[Format], form: forms.Form | None) -> dict[str, object]:
        return {"model": self.opts.label, "resource": self.get_resource_index(form), "kind": kind.title}

    def get_valid_export_item_pks(self, request: HttpRequest) -> list[Any]:
        raise ValidationError("Filter the list and export that.")
