"""The admin's import and export pages."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files import File
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from import_export.admin import ImportExportMixin
from import_export.formats.base_formats import Format
from unfold.contrib.import_export.forms import ImportForm, SelectableFieldsExportForm

from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from backoffice.kit.jobs.files import file_or_page
from backoffice.kit.jobs.service import start
from backoffice.kit.numbers import grouped
from backoffice.kit.pages import model_page
from backoffice.kit.urls import admin_url
from content.base.files import FORMATS, csv_for_excel
from content.base.imports import service
from content.base.imports.model import Import
from content.base.imports.newer import VERSION
from content.base.tables import FileError, max_rows
from content.base.uploads import Upload, path_of

WORK = "content.base.transfer_work"
MAX_BYTES = 500 * 1000 * 1000
EXPORTED_HERE = 5_000  # rows that a request exports itself; a worker does more


class ContentImportForm(ImportForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        text = _("CSV, XLSX or JSON, as spreadsheet programs save them. At most %(megabytes)s MB and %(rows)s rows.")
        words = {"megabytes": MAX_BYTES // 10**6, "rows": grouped(max_rows())}
        self.fields["import_file"].help_text = text % words
        self.fields["format"].help_text = _("Chosen from the file's name; choose another one if that is wrong.")

    def clean_import_file(self) -> "File[bytes]":
        file: File[bytes] = self.cleaned_data["import_file"]
        if file.size > MAX_BYTES:
            text = _("The file is larger than %(megabytes)s MB. Split it.")
            raise forms.ValidationError(text % {"megabytes": MAX_BYTES // 10**6}, code="too_large")
        return file


class ContentExportForm(SelectableFieldsExportForm):  # type: ignore[misc]
    def __init__(self, formats: list[type[Format]], *args: Any, **options: Any) -> None:
        super().__init__(formats, *args, **options)
        self.fields["format"].initial = str(formats.index(csv_for_excel()))
        self.fields["format"].help_text = _(
            "XLSX is right in every spreadsheet program. Excel opens its own CSV with a double click; it expects "
            "semicolons where people write 1,5 and commas where they write 1.5. Plain CSV and JSON are for programs."
        )
        for name, field in self.fields.items():
            if name.endswith(f"_{VERSION}"):
                field.help_text = _("Lets an import of this file notice what somebody has changed since.")

    def _get_field_label(self, resource: type[Any], field_name: str) -> str:
        """Return what the pages call the column, as the library shows its name in English."""
        return str(capfirst(resource().labels().get(field_name, (field_name, field_name))[1]))


class TransferAdmin(ImportExportMixin):  # type: ignore[misc]
    """Import with a preview, and export, each with its own permission."""

    import_template_name = "content/import.html"
    import_form_class = ContentImportForm
    export_form_class = ContentExportForm
    formats = list(FORMATS.values())
    skip_admin_log = True  # each object has its history

    def has_export_permission(self, request: HttpRequest) -> bool:
        allowed: bool = super().has_export_permission(request)
        return allowed and self.has_view_or_change_permission(request)

    def get_import_resource_kwargs(self, request: HttpRequest, **_options: object) -> dict[str, object]:
        return {"user": request.user}

    get_export_resource_kwargs = get_import_resource_kwargs

    def import_action(self, request: HttpRequest, **_options: object) -> HttpResponse:
        """Show the form for a file (GET), or begin to import one (POST) and redirect to the page of the import."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = self.create_import_form(request)
        if request.method == "POST" and form.is_valid():
            try:
                return redirect(self._start_import(request, form))
            except FileError as error:
                form.add_error("import_file", str(error))
        columns = [column.column_name for column in self.resource_classes[0]().get_import_fields()]
        return model_page(
            self,
            request,
            self.import_template_name,
            title=_("Import %(objects)s") % {"objects": self.opts.verbose_name_plural},
            form=form,
            media=self.media + form.media,
            columns=columns,
            imports_url=reverse("admin:content_import_changelist"),
        )

    def _start_import(self, request: HttpRequest, form: forms.Form) -> Import:
        """Store the file and begin to read it: here if it is small, else in a worker.

        Raises:
            FileError: a small file can't be read.
        """
        kind = self.get_import_formats()[int(form.cleaned_data["format"])]
        file = form.cleaned_data["import_file"]
        upload = Upload.of(file.chunks())
        here = service.is_short(kind.title, path_of(upload.name))
        return service.start_import(
            model=self.model,
            user=request.user,
            upload=upload,
            kind=kind.title,
            file_name=file.name,
            resource=self.get_resource_index(form),
            here=here,
        )

    def process_import(self, request: HttpRequest, **_options: object) -> HttpResponse:
        """Redirect to the form: in the place of the library's second page, each import has a page of its own."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        return redirect(admin_url(self.model, "import"))

    def _do_file_export(
        self, file_format: Format, request: HttpRequest, queryset: QuerySet[Any], export_form: Any = None
    ) -> HttpResponseBase:
        """Return the file, or redirect to the page of the job that writes it."""
        arguments = self._arguments(type(file_format), export_form) | {
            "fields": self.get_export_resource_fields_from_form(export_form),
            "query": request.GET.urlencode(),
            "name": self.get_export_filename(request, queryset, file_format),
        }
        title = _("Export %(names)s as %(format)s") % {
            "names": self.opts.verbose_name_plural,
            "format": file_format.get_title(),
        }
        record(Action.EXPORTED, model=self.opts.label, format=file_format.get_title())
        here = queryset.order_by()[: EXPORTED_HERE + 1].count() <= EXPORTED_HERE
        job = start(f"{WORK}.export_file", user=request.user, title=title, arguments=arguments, here=here)
        return file_or_page(job)

    def _arguments(self, kind: type[Format], form: forms.Form | None) -> dict[str, object]:
        return {"model": self.opts.label, "resource": self.get_resource_index(form), "kind": kind.title}

    def get_valid_export_item_pks(self, request: HttpRequest) -> list[Any]:
        raise ValidationError(_("Filter the list and export that."))
