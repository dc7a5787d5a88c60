from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

import backoffice.admin  # noqa: F401 - other packages' models, in our theme
from backoffice import api
from backoffice.kit.api.versions import newest


def patterns(version: int) -> list[URLPattern | URLResolver]:
    """Return the site's URL patterns, with `version` of the API under /api/."""
    return [
        path("", RedirectView.as_view(pattern_name="admin:index")),
        path("admin/", admin.site.urls),
        path("api/", include(api.patterns(api.build_api(version, api.mounts())))),
        path("docs", RedirectView.as_view(pattern_name="api:openapi-view")),
        path("redoc", RedirectView.as_view(pattern_name="redoc")),
    ]


urlpatterns = patterns(newest())
handler400 = "backoffice.errors.bad_request"
handler403 = "backoffice.errors.permission_denied"
handler404 = "backoffice.errors.not_found"
handler500 = "backoffice.errors.server_error"
