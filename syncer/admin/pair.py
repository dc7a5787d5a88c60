"""The page of a pair: both ends' marks, backlogs and rules, and the proof that their contents are equal."""

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.kit.pages import model_page
from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import message_of
from syncer.admin.parts import Named, named_keys, pk_or_404, posted
from syncer.core.errors import SyncError
from syncer.models import Target
from syncer.models.target import SYNC_PERMISSION
from syncer.reports.words import label
from syncer.targets.peer import PEER
from syncer.targets.peer.pair import ends
from syncer.targets.peer.pair.equality import Comparison, compare_all

SECONDS = 10.0  # until the proof is stopped; the command sync_compare has no such limit
SHOWN = 20  # objects of each kind


@dataclass(frozen=True)
class Kind:
    """The objects that differ in one way."""

    title: str  # their number and the way, `2 differ`
    objects: list[tuple[Named, str]]  # at most `SHOWN`, each with the reasons why it may differ for now
    more: int  # how many are not shown


@dataclass(frozen=True)
class Proof:
    """One model's comparison, as the page shows it."""

    comparison: Comparison
    kinds: list[Kind]


def urls(admin: "ModelAdmin[Any]") -> list[URLPattern]:
    """Return the URLs of a pair's page, for the admin of targets."""
    view = admin.admin_site.admin_view
    return [
        path("<path:object_id>/pair/", view(partial(show, admin)), name="syncer_target_pair"),
        path("<path:object_id>/pair/compare/", view(partial(compare, admin)), name="syncer_target_compare"),
    ]


def show(admin: "ModelAdmin[Any]", request: HttpRequest, object_id: str) -> HttpResponse:
    """Show the state of both ends."""
    target = _peer(object_id)
    if not (admin.has_view_permission(request, target) or request.user.has_perm(SYNC_PERMISSION)):
        raise PermissionDenied
    return _page(admin, request, target)


@posted(SYNC_PERMISSION)
def compare(admin: "ModelAdmin[Any]", request: HttpRequest, object_id: str) -> HttpResponse:
    """Show the same page, with the proof."""
    return _page(admin, request, _peer(object_id), is_asked=True)


def _peer(object_id: str) -> Target:
    target = get_object_or_404(Target, pk=pk_or_404(object_id))
    if target.kind != PEER:
        raise Http404
    return target


def _page(admin: "ModelAdmin[Any]", request: HttpRequest, target: Target, *, is_asked: bool = False) -> HttpResponse:
    pair = ends.look(target)
    context = {"original": target, "target": target, "pair": pair, "node": settings.NODE}
    if is_asked and not pair.problem:
        context |= _proved(request, target)
    return model_page(admin, request, "syncer/pair.html", title=_("Pair: %(target)s") % {"target": target}, **context)


def _proved(request: HttpRequest, target: Target) -> dict[str, object]:
    began = time.monotonic()
    try:
        comparisons = compare_all(target, seconds=SECONDS)
    except SyncError as error:
        return {"proof_problem": localized(message_of(error))}
    proofs = [Proof(comparison, _kinds(request, comparison)) for comparison in comparisons]
    is_equal = all(comparison.differences.is_equal for comparison in comparisons)
    return {"proofs": proofs, "is_equal": is_equal, "took": time.monotonic() - began}


def _kinds(request: HttpRequest, comparison: Comparison) -> list[Kind]:
    """Return the kinds of difference that have any objects."""
    differences = comparison.differences
    differ, here, there = differences.differing, differences.only_here, differences.only_there
    of_here, of_there = len(here) + differences.more_here, len(there) + differences.more_there
    groups = [
        (len(differ), ngettext("%(number)d differ", "%(number)d differ", len(differ)), differ, True),
        (of_here, ngettext("%(number)d are only here", "%(number)d are only here", of_here), here, True),
        (of_there, ngettext("%(number)d are only there", "%(number)d are only there", of_there), there, False),
    ]
    kinds = []
    for number, title, all_keys, is_here in groups:
        if not number:
            continue
        keys = all_keys[:SHOWN]
        names = named_keys(request, comparison.model, keys) if is_here else {key: Named(key, "", "") for key in keys}
        kinds.append(
            Kind(
                title=title % {"number": number},
                objects=[(names[key], ", ".join(map(label, comparison.words(key)))) for key in keys],
                more=number - len(keys),
            )
        )
    return kinds
