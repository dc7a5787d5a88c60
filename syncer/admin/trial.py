"""The page *Try it*: a target's settings, tried without writing anything."""

from functools import partial
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from backoffice.kit.pages import model_page
from syncer.admin.parts import pk_or_404
from syncer.models import Target
from syncer.models.target import SYNC_PERMISSION
from syncer.reports.reading import unseen, unseen_objects
from syncer.targets.base import kind_of
from syncer.targets.previews import RouteTrial

TRY = "admin:syncer_target_try"


def urls(admin: "ModelAdmin[Any]") -> list[URLPattern]:
    """Return the URL of the page, for the admin of targets."""
    view = admin.admin_site.admin_view(partial(show, admin))
    return [path("<path:object_id>/try/", view, name=TRY.partition(":")[2])]


def show(admin: "ModelAdmin[Any]", request: HttpRequest, object_id: str) -> HttpResponse:
    """Show the button (GET), or try the target and show what was found (POST)."""
    target = get_object_or_404(Target, pk=pk_or_404(object_id))
    if TRY not in [name for _text, name in kind_of(target).pages.links]:
        raise Http404
    may_try = request.user.has_perm(SYNC_PERMISSION)
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    if not (may_try or (request.method != "POST" and admin.has_view_permission(request, target))):
        raise PermissionDenied
    context: dict[str, object] = {"original": target, "target": target}
    if request.method == "POST" and (trial := kind_of(target).trial(target)):
        context |= {"trial": trial, "routes": [(one, *_hidden(request, one)) for one in trial.routes]}
    return model_page(
        admin,
        request,
        "syncer/trial.html",
        title=_("Try: %(target)s") % {"target": target},
        heading=_("Try it"),
        **context,
    )


def _hidden(request: HttpRequest, trial: RouteTrial) -> tuple[str, str]:
    """Return why this person may not read the record, and why not our object; empty where they may."""
    key = trial.name.rpartition(":")[2]
    hidden = unseen_objects(request, trial.route.model, [key]) if key else {}
    return unseen(request, trial.route.model), hidden.get(key, "")
