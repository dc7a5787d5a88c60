"""Pages of our own in the admin, with the header and the navigation of its other pages."""

from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin, site
from django.http import HttpRequest
from django.template.response import TemplateResponse


def site_page(
    request: HttpRequest, template: str, *, title: object, admin_site: AdminSite = site, **context: object
) -> TemplateResponse:
    """Return a page that belongs to no model."""
    request.current_app = admin_site.name
    return TemplateResponse(request, template, {**admin_site.each_context(request), "title": title, **context})


def model_page(
    admin: "ModelAdmin[Any]", request: HttpRequest, template: str, *, title: object, **context: object
) -> TemplateResponse:
    """Return a page below the list of the admin's model."""
    return site_page(request, template, title=title, admin_site=admin.admin_site, opts=admin.opts, **context)
