"""The import and export pages."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from import_export.admin import ImportExportMixin
from import_export.results import RowResult
from unfold.contrib.import_export.forms import ImportForm, SelectableFieldsExportForm

from content.base.files import CSV, JSON, MAX_ROWS, XLSX, FileError
from content.base.resource import ContentResult
from content.base.uploads import UploadGone, UploadStorage

MAX_BYTES = 20 * 1024 * 1024
FORMATS = [CSV, XLSX, JSON]


class ContentImportForm(ImportForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["import_file"].help_text = f"CSV or JSON (UTF-8), or XLSX. At most 20 MB and {MAX_ROWS:,} rows."
        self.fields["format"].help_text = "Chosen from the file's name; choose another one if that is wrong."

    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError("The file is larger than 20 MB. Split it.", code="too_large")
        return file


class ContentExportForm(SelectableFieldsExportForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["format"].help_text = "XLSX for spreadsheet programs; CSV and JSON are UTF-8 text."


class TransferAdmin(ImportExportMixin):  # type: ignore[misc]
    """Import with a preview, and export, each with its own permission."""

    import_template_name = "content/import.html"
    import_form_class = ContentImportForm
    export_form_class = ContentExportForm
    formats = FORMATS
    tmp_storage_class = UploadStorage
    skip_admin_log = True  # each row has its history

    def has_export_permission(self, request: HttpRequest) -> bool:
        allowed: bool = super().has_export_permission(request)
        return allowed and self.has_view_or_change_permission(request)

    def get_import_resource_kwargs(self, request: HttpRequest, **_options: Any) -> dict[str, Any]:
        return {"user": request.user}

    def get_export_resource_kwargs(self, request: HttpRequest, **_options: Any) -> dict[str, Any]:
        return {}

    def get_import_context_data(self, **_options: Any) -> dict[str, Any]:
        columns = [column.column_name for column in self.resource_classes[0]().get_import_fields()]
        return {"columns": columns}

    def get_import_data_kwargs(self, **_options: Any) -> dict[str, Any]:
        return {"rollback_on_validation_errors": True}

    def add_data_read_fail_error_to_form(self, form: forms.Form, e: Exception) -> None:
        if not isinstance(e, FileError):
            e = FileError("The file can't be read. Is it in the format that was chosen, and not damaged?")
        form.add_error("import_file", str(e))

    def process_import(self, request: HttpRequest, **options: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().process_import(request, **options)
        except UploadGone:
            messages.warning(
                request, "This file was imported already, or waited for more than a day. Nothing was done."
            )
            return HttpResponseRedirect(self._page("import"))
        except FileError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(self._page("import"))
        except (ValueError, IndexError):  # the library takes the numbers of format and resource as they come
            messages.error(request, "The preview was not sent back as it was. Upload the file again.")
            return HttpResponseRedirect(self._page("import"))
        return response

    def process_result(self, result: ContentResult, request: HttpRequest) -> HttpResponse:
        """Back to the list, or to what is wrong: the content may have changed since the preview."""
        if not result.has_errors() and not result.has_validation_errors():
            return super().process_result(result, request)  # type: ignore[no-any-return]
        form = self.import_form_class(self.get_import_formats(), self.get_import_resource_classes(request))
        context = {
            **self.admin_site.each_context(request),
            "title": "Import",
            "form": form,
            "opts": self.model._meta,
            "media": self.media + form.media,
            "result": result,
            **self.get_import_context_data(),
        }
        return TemplateResponse(request, self.import_template_name, context)

    def add_success_message(self, result: ContentResult, request: HttpRequest) -> None:
        new, changed, same = (result.totals[kind] for kind in (RowResult.IMPORT_TYPE_NEW, "update", "skip"))
        messages.success(request, f"Imported: {new} new, {changed} changed, {same} unchanged.")

    def get_valid_export_item_pks(self, request: HttpRequest) -> list[Any]:
        raise ValidationError("Filter the list and export that.")

    def _page(self, name: str) -> str:
        options = self.model._meta
        return reverse(f"admin:{options.app_label}_{options.model_name}_{name}")
