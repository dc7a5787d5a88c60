"""The state of each object at each target, on the list and form of a content model, and the action *Sync now*."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from backoffice.kit import ui
from backoffice.kit.admin import BackofficeList
from content.base.urls import admin_url
from syncer import public


class StatesChangeList(BackofficeList):
    """A change list that reads the states of a whole page at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        states = public.object_states(self.model, [row.pk for row in rows])
        for row in rows:
            row.sync_states = states[row.pk]

    def get_ordering_field(self, field_name: Any) -> Any:
        """Return the field to order by, as Django does; None for a column that is not sortable.

        Django only hides the links of such columns and still accepts them in the address.
        """
        return super().get_ordering_field(field_name) if field_name in self.sortable_by else None


def _chip(state: public.ObjectState) -> SafeString:
    """Return a state's name as HTML, linked to the page where a person decides if there is one."""
    chip = ui.chip(state.state, meaning=public.meaning(state.state))
    return format_html('<a href="{}">{}</a>', state.url, chip) if state.url else chip


class SyncAdmin(ModelAdmin):  # type: ignore[misc]
    """Shows the state of each object at the targets of its model; nothing if the model has no target."""

    change_form_outer_before_template = "content/at_targets.html"
    list_after_template = "content/sync_legend.html"
    actions = ("sync_now",)

    def get_changelist(self, request: HttpRequest, **_: object) -> type[StatesChangeList]:
        return StatesChangeList

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = list(super().get_list_display(request))
        return [*columns, "at_targets"] if public.targets_of(self.model) else columns

    @admin.display(description="At targets")
    def at_targets(self, obj: Any) -> SafeString:
        states: list[public.ObjectState] = obj.sync_states
        if len(states) == 1:
            return _chip(states[0])
        chips = ((state.route.target, _chip(state)) for state in states)
        return format_html('<span class="sync-states">{}</span>', format_html_join(" ", "<span>{} {}</span>", chips))

    def render_change_form(self, request: HttpRequest, context: Any, **options: Any) -> HttpResponse:
        obj = options.get("obj")
        context["sync_states"] = public.object_states(self.model, [obj.pk])[obj.pk] if obj else []
        context["sync_url"] = admin_url(self.model, "sync", obj.pk) if obj else ""
        page: HttpResponse = super().render_change_form(request, context, **options)
        return page

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view(self.sync_view), f"{self.opts.app_label}_{self.opts.model_name}_sync"
        return [path("<path:object_id>/sync/", view, name=name), *super().get_urls()]

    def has_sync_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(public.SYNC_PERMISSION)

    @admin.action(description="Sync now", permissions=["sync"])
    def sync_now(self, request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponse:
        return self._sync(request, queryset.order_by().values_list("pk", flat=True))

    def sync_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Start a sync of one object (POST), and redirect to the run."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not (self.has_sync_permission(request) and self.has_view_permission(request)):
            raise PermissionDenied
        obj: Model | None = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        return self._sync(request, [obj.pk])

    def _sync(self, request: HttpRequest, keys: Iterable[Any]) -> HttpResponse:
        runs = public.sync_objects(self.model, keys, user=request.user)
        if runs:
            return redirect(public.runs_url(runs))
        name = self.opts.verbose_name_plural.capitalize()
        messages.warning(request, f"{name} travel to no target, or all of them are paused.")
        return redirect(admin_url(self.model, "changelist"))
