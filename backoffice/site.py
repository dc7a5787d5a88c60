"""The admin site, with its apps in the order of their use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from backoffice import search

PEOPLE = "accounts"


class Site(UnfoldAdminSite):  # type: ignore[misc]
    """The theme's site, with the apps in the order of the settings: content, sync, people, and then the rest."""

    index_title = _("Home")

    def get_urls(self) -> list[Any]:
        from backoffice.accounts import sign_in_pages  # here, as models are not loaded when the site is made
        from content.base.changes import pages

        return [*pages.urls(self), *sign_in_pages.urls(self), *super().get_urls()]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        from backoffice.accounts import sign_in_pages

        page = super().login(request, {**(extra_context or {}), **sign_in_pages.ways(request)})
        return sign_in_pages.next_step(request) or page

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        by_label: dict[str, dict[str, Any]] = {
            app["app_label"]: app for app in super().get_app_list(request, app_label)
        }
        if PEOPLE in by_label and "auth" in by_label:
            by_label[PEOPLE]["models"] += by_label.pop("auth")["models"]
        daily = [app.rpartition(".")[2] for app in settings.CONTENT_APPS] + ["syncer"]
        for label, app in by_label.items():
            paths = [model["admin_url"] for model in app["models"] if model["admin_url"]]
            app["is_open"] = label in daily or request.path.startswith(tuple(paths))
        first = [*daily, PEOPLE]
        return [by_label[label] for label in first if label in by_label] + [
            app for label, app in by_label.items() if label not in first
        ]

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return search.view(request, self)
