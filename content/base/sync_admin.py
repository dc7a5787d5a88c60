"""The state of each object at each target, on the list and form of a content model, and the action *Sync now*."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import DropdownFilter

from backoffice.kit.admin import BackofficeList
from backoffice.kit.urls import admin_url
from content.base.changes.latest import latest
from content.base.chips import state_chips
from syncer import public

EDITS = "_content_edits"  # the attribute of a request with what its form wrote


class StatesChangeList(BackofficeList):
    """A change list that reads the states and latest changes of a whole page at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        keys = [row.pk for row in rows]
        states, changes = public.object_states(self.model, keys), latest(self.model, keys)
        for row in rows:
            row.sync_states, row.latest_change = states[row.pk], changes.get(row.pk)

    def get_ordering_field(self, field_name: Any) -> Any:
        """Return the field to order by, as Django does; None for a column that is not sortable.

        Django only hides the links of such columns and still accepts them in the address.
        """
        return super().get_ordering_field(field_name) if field_name in self.sortable_by else None


class StateFilter(DropdownFilter):  # type: ignore[misc]
    """Filters by the state at any target."""

    title = _("state at targets")
    parameter_name = "at_targets"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(state.value, f"{public.label(state)}: {public.meaning(state)}") for state in public.State]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        chosen = self.value()
        if chosen not in list(public.State):
            return queryset
        return queryset.filter(public.in_state(queryset.model, public.State(chosen)))


def _edits(form: Any, formsets: Iterable[Any], *, is_change: bool) -> Iterator[public.Edit]:
    """Yield what a form and its inlines wrote."""
    if form.has_changed() or not is_change:
        fields = frozenset(form.changed_data) if is_change else None
        yield public.Edit(model=type(form.instance), pk=form.instance.pk, fields=fields)
    for formset in formsets:
        for obj, changed in formset.changed_objects:
            yield public.Edit(model=type(obj), pk=obj.pk, fields=frozenset(changed))
        for obj in (*formset.new_objects, *formset.deleted_objects):
            if obj.pk is not None:
                yield public.Edit(model=type(obj), pk=obj.pk)


def _tell(request: HttpRequest) -> None:
    """Add messages that say what will follow what the request wrote, behind the one that says that it was saved."""
    edits: list[public.Edit] = getattr(request, EDITS)
    for sentence in public.following(edits) if edits else ():
        messages.info(request, sentence)


class SyncAdmin(ModelAdmin):  # type: ignore[misc]
    """Shows the state of each object at the targets of its model; nothing if the model has no target."""

    change_form_outer_before_template = "content/at_targets.html"
    list_after_template = "content/sync_legend.html"
    actions: tuple[str, ...] = ("sync_now",)

    def get_changelist(self, request: HttpRequest, **_: object) -> type[StatesChangeList]:
        return StatesChangeList

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = list(super().get_list_display(request))
        return [*columns, "at_targets"] if self._travels(request) else columns

    def _travels(self, request: HttpRequest) -> bool:
        """Return whether the model has a target; looked up once a request, as Django asks for a list's parts often."""
        known: dict[type[Model], bool] = request.__dict__.setdefault("_travels", {})
        if self.model not in known:
            known[self.model] = bool(public.targets_of(self.model))
        return known[self.model]

    @admin.display(description=_("At targets"))
    def at_targets(self, obj: Any) -> SafeString | str:
        return state_chips(obj.sync_states)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        filters = list(super().get_list_filter(request))
        return [*filters, StateFilter] if self._travels(request) else filters

    def render_change_form(self, request: HttpRequest, context: Any, **options: Any) -> HttpResponse:
        context["sync_states"] = []
        if obj := options.get("obj"):
            context |= self._states_of(obj) | {
                "sync_url": admin_url(self.model, "sync", obj.pk),
                "states_url": admin_url(self.model, "states", obj.pk),
            }
        page: HttpResponse = super().render_change_form(request, context, **options)
        return page

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("<path:object_id>/sync/", self.admin_site.admin_view(self.sync_view), name=f"{name}_sync"),
            path("<path:object_id>/states/", self.admin_site.admin_view(self.states_view), name=f"{name}_states"),
            *super().get_urls(),
        ]

    def states_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return the rows of the table on the form, for its script, and whether they may change soon."""
        obj: Model | None = self.get_object(request, unquote(object_id))
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        if obj is None:
            raise Http404
        context = self._states_of(obj)
        answer = {
            "rows": render_to_string("content/at_targets_rows.html", context, request),
            "text": context["states_text"],
            "moving": context["states_moving"],
        }
        return JsonResponse(answer, headers={"Cache-Control": "no-store"})

    def _states_of(self, obj: Model) -> dict[str, Any]:
        states = public.object_states(self.model, [obj.pk])[obj.pk]
        text = ", ".join(f"{state.route.target}: {public.label(state.state)}" for state in states)
        return {"sync_states": states, "states_text": text, "states_moving": public.are_moving(states)}

    # --- what follows a save -----------------------------------------------------------------------------------------
    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        super().save_related(request, form, formsets, change)
        setattr(request, EDITS, list(_edits(form, formsets, is_change=change)))

    def response_add(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        response: HttpResponse = super().response_add(request, *args, **options)
        _tell(request)
        return response

    def response_change(self, request: HttpRequest, obj: Model) -> HttpResponse:
        response: HttpResponse = super().response_change(request, obj)
        _tell(request)
        return response

    def has_sync_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(public.SYNC_PERMISSION)

    @admin.action(description=_("Sync now"), permissions=["sync"])
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
        text = gettext("%(names)s travel to no target, or all of them are paused.")
        messages.warning(request, text % {"names": capfirst(self.opts.verbose_name_plural)})
        return redirect(admin_url(self.model, "changelist"))
