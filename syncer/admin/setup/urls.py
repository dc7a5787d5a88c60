"""The addresses of the guided setup."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse

from syncer.admin.parts import pk_or_404
from syncer.admin.setup import address, fields, finish, records, sign_in, steps, trying
from syncer.admin.setup.steps import OF_A_ROUTE, Step
from syncer.models import Target

SHOWN: Mapping[Step, Any] = {
    Step.ADDRESS: address.show,
    Step.SIGN_IN: sign_in.show,
    Step.TRY: trying.show,
    Step.RECORDS: records.show,
    Step.FIELDS: fields.show,
    Step.FINISH: finish.show,
}


def urls(admin: "ModelAdmin[Any]") -> list[URLPattern]:
    """Return the addresses of all steps, for the admin of targets."""
    begin = steps.bound(admin, steps.view(Step.ADDRESS, address.show))
    go_on = admin.admin_site.admin_view(partial(to_continue, admin))
    patterns = [
        path("setup/", begin, name="syncer_target_setup"),
        path("<path:object_id>/setup/", go_on, name="syncer_target_setup_continue"),
    ]
    for step, show in SHOWN.items():
        route = "<path:route_id>/" if step in OF_A_ROUTE else ""
        view = steps.bound(admin, steps.view(step, show))
        name = f"syncer_target_setup_{step.name.lower()}"
        patterns.append(path(f"<path:object_id>/setup/{route}{step.value}/", view, name=name))
    return patterns


def to_continue(admin: "ModelAdmin[Any]", request: HttpRequest, object_id: str) -> HttpResponse:
    """Redirect to the step at which the setup goes on."""
    target = get_object_or_404(Target, pk=pk_or_404(object_id))
    if not admin.has_view_permission(request, target):
        raise PermissionDenied
    there = steps.to_continue(target) or reverse("admin:syncer_target_change", args=[target.pk])
    return HttpResponseRedirect(there)
