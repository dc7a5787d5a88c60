"""The page of the deletes that wait for a person: *Review and allow*, or *Undo these edits*."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.kit.pages import model_page
from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import message_of
from syncer import public
from syncer.admin.parts import Named, named_keys, pk_or_404, posted, to_runs
from syncer.core.errors import SyncError
from syncer.engine import ceiling
from syncer.models import Route, Target
from syncer.models.keys import pks
from syncer.models.target import SYNC_PERMISSION
from syncer.recovery import deletes
from syncer.recovery.deletes import Delete, Review

SHOWN = 200  # deletes listed, of each route; the number is always that of all


@dataclass(frozen=True, kw_only=True)
class Section:
    """The deletes of one route, as the page lists them."""

    route: Route
    number: int
    rows: list[tuple[Delete, Named, str]]  # with the object, and its title in the history if it is deleted here

    @property
    def more(self) -> int:
        return self.number - len(self.rows)


def urls(admin: "ModelAdmin[Any]") -> list[URLPattern]:
    """Return the URLs of the page, for the admin of targets."""
    views = {
        "<path:object_id>/deletes/": (show, "deletes"),
        "<path:object_id>/deletes/allow/": (allow, "deletes_allow"),
        "<path:object_id>/deletes/undo/": (undo, "deletes_undo"),
    }
    return [
        path(route, admin.admin_site.admin_view(partial(view, admin)), name=f"syncer_target_{name}")
        for route, (view, name) in views.items()
    ]


def show(admin: "ModelAdmin[Any]", request: HttpRequest, object_id: str) -> HttpResponse:
    """Show what would be deleted, and why it waits."""
    target = _target(object_id)
    if not (admin.has_view_permission(request, target) or request.user.has_perm(SYNC_PERMISSION)):
        raise PermissionDenied
    try:
        seen, problem = deletes.review(target), ""
    except SyncError as error:
        seen, problem = Review(target=target, why=[], deletes=[]), localized(message_of(error))
    sections = [_section(request, route, of_route) for route, of_route in seen.by_route()]
    return model_page(
        admin,
        request,
        "syncer/deletes.html",
        title=_("Deletes at %(target)s") % {"target": target},
        heading=_("Deletes that wait"),
        original=target,
        target=target,
        seen=seen,
        number=len(seen.deletes),
        why=localized(ceiling.reasons(seen.why)),
        sections=sections,
        problem=problem,
    )


@posted(SYNC_PERMISSION)
def allow(admin: "ModelAdmin[Any]", request: HttpRequest, object_id: str) -> HttpResponse:
    """Allow exactly the deletes that were shown, and start a sync that makes them."""

    def text(number: int) -> str:
        return ngettext(
            "%(number)d delete is allowed. Sync started.", "%(number)d deletes are allowed. Sync started.", number
        )

    return _decide(request, object_id, deletes.allow, text)


@posted(SYNC_PERMISSION)
def undo(admin: "ModelAdmin[Any]", request: HttpRequest, object_id: str) -> HttpResponse:
    """Undo the edits that led to the deletes that were shown, and start a sync that finds nothing to delete."""

    def text(number: int) -> str:
        return ngettext(
            "The edits behind %(number)d delete are undone. Sync started.",
            "The edits behind %(number)d deletes are undone. Sync started.",
            number,
        )

    return _decide(request, object_id, deletes.undo, text)


def _decide(
    request: HttpRequest, object_id: str, decide: Callable[..., int], text: Callable[[int], str]
) -> HttpResponse:
    """Allow or undo the deletes that were shown, and start a sync; `text` says how many there were."""
    target = _target(object_id)
    try:
        number = decide(target, request.POST.get("digest", ""), user=request.user)
    except SyncError as error:
        return _refused(request, target, error)
    messages.success(request, text(number) % {"number": number})
    return to_runs(request, [public.sync_target(target, user=request.user)])


def _target(object_id: str) -> Target:
    return get_object_or_404(Target, pk=pk_or_404(object_id))


def _refused(request: HttpRequest, target: Target, error: SyncError) -> HttpResponse:
    messages.error(request, localized(message_of(error)))
    return HttpResponseRedirect(reverse("admin:syncer_target_deletes", args=[target.pk]))


def _section(request: HttpRequest, route: Route, of_route: list[Delete]) -> Section:
    shown = of_route[:SHOWN]
    names = named_keys(request, route.model, [delete.key for delete in shown])
    gone = [delete.key for delete in shown if not (names[delete.key].title or names[delete.key].unseen)]
    versions = deletes.last_versions(route, gone)
    titles = {
        key: str(versions[pk].instance)
        for key, pk in zip(gone, pks(route.declaration.model, gone), strict=True)
        if pk in versions
    }
    rows = [(delete, names[delete.key], titles.get(delete.key, "")) for delete in shown]
    return Section(route=route, number=len(of_route), rows=rows)
