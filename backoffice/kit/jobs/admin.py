"""The admin pages of jobs: the list, and the progress of each job."""

from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from backoffice.kit.admin import ReadOnlyAdmin
from backoffice.kit.filters import TimeRangeFilter
from backoffice.kit.jobs.files import download, has_file_for
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.report import Report
from backoffice.kit.pages import model_page
from backoffice.kit.ui import chip

LISTED = 40  # characters of a title, so that a row of the list takes one line on a small screen


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Shows people their own jobs, and those who have the permission to view jobs all of them."""

    list_display = ("short_title", "user", "shown_state", "items", "created_at", "finished_at")
    list_select_related = ("user",)
    list_before_template = "jobs/live_list.html"
    list_filter = (("state", ChoicesDropdownFilter), ("created_at", TimeRangeFilter))
    search_fields = ("title",)

    @admin.display(description=_("title"), ordering="title")
    def short_title(self, job: Job) -> str:
        return Truncator(job.title).chars(LISTED)

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, job: Job) -> SafeString:
        return chip(job.state, job.get_state_display())

    @admin.display(description=pgettext_lazy("of a job", "items"))
    def items(self, job: Job) -> str:
        return Report(job).items

    def has_view_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return obj is None or obj.user_id == request.user.pk or bool(super().has_view_permission(request, obj))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True  # the admin site has checked that the user is staff

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return Job.objects.visible_to(request.user).order_by(*self.get_ordering(request))

    def get_urls(self) -> list[URLPattern]:
        pages = {"progress": self.progress_view, "file": self.file_view}
        own = [
            path(f"<uuid:pk>/{name}/", self.admin_site.admin_view(view), name=f"jobs_job_{name}")
            for name, view in pages.items()
        ]
        return [*own, *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, *_args: object, **_options: object) -> HttpResponse:
        """Show the job's progress, and its result once it has ended."""
        job = self._job(request, object_id)
        report = Report(job)
        return model_page(
            self,
            request,
            "jobs/job.html",
            title=job.title,
            original=job,
            job=job,
            report=report,
            progress=report.as_json(),
            has_file=has_file_for(request, job),
            progress_url=reverse("admin:jobs_job_progress", args=[job.pk]),
        )

    def progress_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Return `Report.as_json` for the page's script."""
        progress = Report(self._job(request, pk)).as_json()
        return JsonResponse(progress, headers={"Cache-Control": "no-store"})

    def file_view(self, request: HttpRequest, pk: UUID) -> FileResponse:
        return download(request, self._job(request, pk))

    def _job(self, request: HttpRequest, key: UUID | str) -> Job:
        job: Job | None = self.get_object(request, str(key))
        if job is None:
            raise Http404
        return job
