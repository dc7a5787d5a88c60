import json
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from backoffice.kit.filters import TimeRangeFilter
from content.base.admin import ContentAdmin
from content.tasks import jobs
from content.tasks.models import Item
from content.tasks.resources import ItemResource


@admin.register(Item)
class ItemAdmin(ContentAdmin):
    list_display = ("title", "id", "external_id", "external_fetched_at", "summary_source")
    list_filter = (("external_fetched_at", TimeRangeFilter), ("updated_at", TimeRangeFilter))
    search_fields = ("title", "description", "=external_id")
    readonly_fields = (
        "summary", "summary_source", "external_record", "external_fetched_at", "created_at", "updated_at",
    )  # fmt: skip
    fields = ("title", "description", "external_id", *readonly_fields)
    actions = (*ContentAdmin.actions, "enrich", "summarize")
    actions_submit_line = ("enrich_one", "summarize_one")
    resource_classes = (ItemResource,)

    class Media:
        css = {"all": ["tasks/item.css"]}

    @admin.display(description=_("External data"))
    def external_record(self, item: Item) -> SafeString:
        text = json.dumps(item.external_data, indent=2, ensure_ascii=False, sort_keys=True)
        return format_html('<pre class="external-data text-xs">{}</pre>', text)

    @admin.action(description=_("Enrich"), permissions=["change"])
    def enrich(self, request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponse:
        return self._begin(jobs.enrich, request, queryset)

    @admin.action(description=_("Summarize"), permissions=["change"])
    def summarize(self, request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponse:
        return self._begin(jobs.summarize, request, queryset)

    @action(description=_("Save and enrich"), permissions=["change"])  # type: ignore[untyped-decorator]
    def enrich_one(self, request: HttpRequest, item: Item) -> HttpResponse:
        return self._begin(jobs.enrich, request, Item.objects.filter(pk=item.pk))

    @action(description=_("Save and summarize"), permissions=["change"])  # type: ignore[untyped-decorator]
    def summarize_one(self, request: HttpRequest, item: Item) -> HttpResponse:
        return self._begin(jobs.summarize, request, Item.objects.filter(pk=item.pk))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        saved = super().response_change(request, obj)  # its message leads back to the item
        for button in self.get_actions_submit_line(request, obj.pk):
            if button.action_name in request.POST:
                response: HttpResponse = button.method(request, obj)
                return response
        return saved

    def _begin(self, work: Callable[..., None], request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponse:
        """Start the job, and redirect to the page that shows its progress."""
        keys = list(queryset.order_by("pk").values_list("pk", flat=True))
        return redirect("admin:jobs_job_change", jobs.begin(work, keys, user=request.user).pk)
