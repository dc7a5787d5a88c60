"""Saved views of a list: links above it, and forms to save and delete them."""

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from backoffice.kit.permissions import Person
from backoffice.kit.urls import admin_url
from backoffice.kit.views.models import SHARE, SavedView, kept

SHOWN = 50  # views of one list


@dataclass(frozen=True, kw_only=True)
class Link:
    """A view as the list shows it."""

    view: SavedView
    url: str
    delete_url: str  # empty: this person may not delete it
    is_current: bool


class SavedViewsAdmin(ModelAdmin):  # type: ignore[misc]
    """A list whose filters, search and order can be saved under a name."""

    def get_urls(self) -> list[URLPattern]:
        name, site = f"{self.opts.app_label}_{self.opts.model_name}_view", self.admin_site.admin_view
        return [
            path("views/save/", site(self.save_view), name=f"{name}_save"),
            path("views/<int:pk>/delete/", site(self.delete_saved_view), name=f"{name}_delete"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        query = kept(request.GET)
        context = {
            "saved_views": self._view_links(request, query),
            "view_query": query,
            "view_save_url": self._view_url("save"),
            "may_share_views": request.user.has_perm(SHARE),
        }
        page: HttpResponse = super().changelist_view(request, context | (extra_context or {}))
        return page

    def save_view(self, request: HttpRequest) -> HttpResponse:
        """Save the list as it is shown, under a name (POST)."""
        if refused := self._refused(request):
            return refused
        shared, user = "shared" in request.POST, cast(Any, request.user)
        if shared and not request.user.has_perm(SHARE):
            raise PermissionDenied(Person(request.user).needs(SHARE, _("to save views for all")))
        view = SavedView(
            owner=user,
            page=self.opts.label_lower,
            name=request.POST.get("name", "").strip(),
            query=kept(QueryDict(request.POST.get("query", ""))),
            shared=shared,
        )
        try:
            view.full_clean()
        except ValidationError as error:
            messages.error(request, _("The view was not saved. %(why)s") % {"why": " ".join(error.messages)})
        else:
            view.save()
            messages.success(request, _("The view “%(name)s” is saved.") % {"name": view})
        return HttpResponseRedirect(self._address(view.query))

    def delete_saved_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Delete a view (POST)."""
        if refused := self._refused(request):
            return refused
        views = SavedView.objects.filter(page=self.opts.label_lower).removable_by(request.user)
        view = get_object_or_404(views, pk=pk)
        view.delete()
        messages.success(request, _("The view “%(name)s” is deleted.") % {"name": view})
        return HttpResponseRedirect(self._address(""))

    def _refused(self, request: HttpRequest) -> HttpResponse | None:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return None if request.method == "POST" else HttpResponseNotAllowed(["POST"])

    def _view_links(self, request: HttpRequest, query: str) -> list[Link]:
        views = SavedView.objects.filter(page=self.opts.label_lower).visible_to(request.user)
        may_share = request.user.has_perm(SHARE)
        return [
            Link(
                view=view,
                url=self._address(view.query),
                delete_url=self._view_url("delete", view.pk) if may_share or view.owner_id == request.user.pk else "",
                is_current=view.query == query,
            )
            for view in views[:SHOWN]
        ]

    def _address(self, query: str) -> str:
        page = admin_url(self.model, "changelist")
        return f"{page}?{query}" if query else page

    def _view_url(self, page: str, *keys: Any) -> str:
        return admin_url(self.model, f"view_{page}", *keys)
