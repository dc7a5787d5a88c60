"""The admin site: what people come for stands first."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from unfold.sites import UnfoldAdminSite

PEOPLE = "accounts"


class Site(UnfoldAdminSite):  # type: ignore[misc]
    """The theme's site, with the apps in the order of the settings: content, sync, people, and then the rest."""

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {app["app_label"]: app for app in super().get_app_list(request, app_label)}
        if PEOPLE in found and "auth" in found:
            found[PEOPLE]["models"] += found.pop("auth")["models"]
        first = [app.rpartition(".")[2] for app in settings.CONTENT_APPS] + ["syncer", PEOPLE]
        return [found[label] for label in first if label in found] + [
            app for label, app in found.items() if label not in first
        ]
