import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.kit.filters import TimeRangeFilter
from backoffice.kit.jobs.models import Job
from content.base.admin import ContentAdmin
from content.tasks import jobs
from content.tasks.models import Item
from content.tasks.resources import ItemResource


def keys(queryset: "QuerySet[Any]") -> list[int]:
    return list(queryset.order_by("pk").values_list("pk", flat=True))


def show(job: Job) -> HttpResponse:
    """Redirect to the page that shows the job's progress."""
    return HttpResponseRedirect(reverse("admin:jobs_job_change", args=[job.pk]))


@admin.register(Item)
class ItemAdmin(ContentAdmin):
    list_display = ("title", "id", "external_id", "external_fetched_at", "summary_source")
    list_filter = (("external_fetched_at", TimeRangeFilter), ("updated_at", TimeRangeFilter))
    search_fields = ("title", "description", "=external_id")
    fields = (
        "title",
        "description",
        "external_id",
        "summary",
        "summary_source",
        "external_record",
        "external_fetched_at",
        "created_at",
        "updated_at",
    )
    readonly_fields = fields[3:]
    actions = (*ContentAdmin.actions, "enrich", "summarize")  # type: ignore[assignment]
    resource_classes = (ItemResource,)

    class Media:
        css = {"all": ["tasks/item.css"]}

    @admin.display(description="External data")
    def external_record(self, item: Item) -> SafeString:
        text = json.dumps(item.external_data, indent=2, ensure_ascii=False, sort_keys=True)
        return format_html('<pre class="external-data text-xs">{}</pre>', text)

    @admin.action(description="Enrich", permissions=["change"])
    def enrich(self, request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponse:
        return show(jobs.start_enrich(keys(queryset), user=request.user))

    @admin.action(description="Summarize", permissions=["change"])
    def summarize(self, request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponse:
        return show(jobs.start_summarize(keys(queryset), user=request.user))
