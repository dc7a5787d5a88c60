"""The pages of imports: the list, and the page of each with its preview, progress and result."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from backoffice.kit.admin import ReadOnlyAdmin
from backoffice.kit.filters import TimeRangeFilter
from backoffice.kit.jobs.files import file_or_page
from backoffice.kit.jobs.report import Report as JobReport
from backoffice.kit.jobs.service import start
from backoffice.kit.numbers import grouped
from backoffice.kit.pages import model_page
from backoffice.kit.ui import chip
from backoffice.kit.urls import admin_url
from content.base.imports import service
from content.base.imports.model import Import
from content.base.imports.report import Report
from content.base.tables import FileError

LISTED = 40  # characters of a file's name
FAILED_HERE = 20_000  # rows of a file that a request reads itself for the failed ones
LARGE = ("rows", "exchanged", "requests", "headings", "columns", "moment")  # that the list does not show


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    """Shows people their own imports, and those who have the permission to view imports all of them."""

    list_display = ("short_name", "objects", "user", "shown_state", "numbers", "created_at")
    list_select_related = ("user",)
    list_filter = (("state", ChoicesDropdownFilter), ("created_at", TimeRangeFilter))
    search_fields = ("file_name",)
    empty_text = gettext_lazy("Nothing was imported yet. Each list of content has the button for it.")

    @admin.display(description=gettext_lazy("file"), ordering="file_name")
    def short_name(self, record: Import) -> str:
        return Truncator(record.file_name).chars(LISTED)

    @admin.display(description=gettext_lazy("objects"), ordering="model")
    def objects(self, record: Import) -> str:
        return str(capfirst(apps.get_model(record.model)._meta.verbose_name_plural))

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def shown_state(self, record: Import) -> SafeString:
        return chip(record.state, record.get_state_display())

    @admin.display(description=gettext_lazy("rows"))
    def numbers(self, record: Import) -> str:
        return ", ".join(f"{grouped(count)} {word}" for word, count, _mark in Report(record).figures if count)

    # --- permissions -------------------------------------------------------------------------------------------------
    def has_view_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        return obj is None or obj.user_id == request.user.pk or bool(super().has_view_permission(request, obj))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the list to whoever may import anything, or view the imports of others."""
        pages = (page for page in self.admin_site._registry.values() if hasattr(page, "has_import_permission"))
        may_view_all = super().has_view_permission(request)
        return bool(may_view_all or any(page.has_import_permission(request) for page in pages))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Import]:
        return Import.objects.visible_to(request.user).defer(*LARGE).order_by(*self.get_ordering(request))

    def _may_import(self, request: HttpRequest, record: Import) -> bool:
        pages: Any = self.admin_site.get_model_admin(apps.get_model(record.model))
        return bool(pages.has_import_permission(request))

    def _may_read(self, request: HttpRequest, record: Import) -> bool:
        """Return whether the user may read the rows, which hold what the account that imports may see."""
        return record.user_id in (request.user.pk, None)

    # --- pages -------------------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        acts: dict[str, Callable[..., HttpResponseBase]] = {
            "columns": self._map_columns,
            "confirm": self._confirm,
            "cancel": self._cancel,
            "continue": self._go_on,
            "undo": self._undo,
            "failed": self._failed,
        }
        own = [
            path(
                f"<uuid:pk>/{name}/",
                self.admin_site.admin_view(partial(self.act_view, act=act)),
                name=f"content_import_{name}",
            )
            for name, act in acts.items()
        ]
        return [*own, *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, *_args: object, **_options: object) -> HttpResponse:
        """Show what an import would do, is doing, or did."""
        record = self._record(request, object_id)
        report, is_own = Report(record), record.user_id == request.user.pk and self._may_import(request, record)
        job = record.job if record.is_open else None
        return model_page(
            self,
            request,
            "content/import_page.html",
            title=record.file_name if record.is_edit else _("Import %(file)s") % {"file": record.file_name},
            original=record,
            record=record,
            report=report,
            job=job,
            progress=JobReport(job).as_json() if job else None,
            progress_url=reverse("admin:jobs_job_progress", args=[job.pk]) if job else "",
            may_read=self._may_read(request, record),
            may_confirm=is_own and record.state == Import.State.READY and report.right > 0,
            may_cancel=is_own and (record.is_open or record.state == Import.State.READY),
            may_map=is_own and not record.is_edit and record.state in (Import.State.READY, Import.State.FAILED),
            may_continue=is_own and record.is_stuck,
            may_undo=self._may_import(request, record) and record.can_be_undone,
            objects=capfirst(report.model._meta.verbose_name_plural),
            objects_url=admin_url(report.model, "changelist"),
            again_url=admin_url(report.model, "import"),
        )

    @method_decorator(require_POST)
    def act_view(self, request: HttpRequest, pk: UUID, act: Callable[..., HttpResponseBase]) -> HttpResponseBase:
        """Do something with an import, and show its page again; what can't be done is said there."""
        record = self._record(request, pk)
        if not self._may_import(request, record):
            raise PermissionDenied
        try:
            return act(request, record)
        except (service.StateError, FileError) as error:
            messages.error(request, str(error))
            return redirect(record)

    def _map_columns(self, request: HttpRequest, record: Import) -> HttpResponse:
        self._check_own(request, record)
        known = Report(record).columns
        chosen = {name: request.POST.get(f"column-{number}", "") for number, name in enumerate(record.headings)}
        if not {*chosen.values()} <= {*known, ""}:
            raise service.StateError(_("Choose the columns again: there is no such column."))
        service.map_columns(record, chosen)
        return redirect(record)

    def _confirm(self, request: HttpRequest, record: Import) -> HttpResponse:
        self._check_own(request, record)
        if request.POST.get("rows") != "right" and record.failed:
            raise service.StateError(_("Rows are wrong. Import those that are right, or correct the file."))
        service.write(record, here=sum(record.counts.values()) <= service.HERE)
        return redirect(record)

    def _cancel(self, request: HttpRequest, record: Import) -> HttpResponse:
        self._check_own(request, record)
        service.cancel(record)
        return redirect(record)

    def _go_on(self, request: HttpRequest, record: Import) -> HttpResponse:
        self._check_own(request, record)
        service.go_on(record)
        return redirect(record)

    def _undo(self, request: HttpRequest, record: Import) -> HttpResponse:
        rows = sum(record.written.get(name, 0) for name in ("new", "changed"))
        return redirect(service.undo(record, user=request.user, here=rows <= service.HERE))

    def _failed(self, request: HttpRequest, record: Import) -> HttpResponseBase:
        """Return the file of the rows that were not imported, or redirect to the page of the job that writes it."""
        if not self._may_read(request, record):
            raise PermissionDenied
        job = start(
            f"{service.WORK}failed.failed_file",
            user=request.user,
            title=_("Failed rows of %(file)s") % {"file": record.file_name},
            arguments={"pk": str(record.pk)},
            here=sum(record.counts.values()) <= FAILED_HERE,
        )
        return file_or_page(job)

    def _check_own(self, request: HttpRequest, record: Import) -> None:
        if record.user_id != request.user.pk:
            raise PermissionDenied

    def _record(self, request: HttpRequest, key: UUID | str) -> Import:
        record: Import | None = self.get_object(request, str(key))
        if record is None:
            raise Http404
        return record
