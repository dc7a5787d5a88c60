from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

import backoffice.admin  # noqa: F401 - other packages' models, in our theme

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("health/", include("backoffice.health")),
    path("api/", include("backoffice.api")),
]
