"""The admin's index: every target with what waits for it, before the lists."""

from typing import Any

from django.http import HttpRequest

from syncer.admin.parts import MAY_SYNC
from syncer.models import Target
from syncer.reports.overview import overview


def context(request: HttpRequest, found: dict[str, Any]) -> dict[str, Any]:
    """UNFOLD["DASHBOARD_CALLBACK"]: adds `overviews` for those who may see targets; None for the others."""
    may_see = any(map(request.user.has_perm, ("syncer.view_target", "syncer.change_target", MAY_SYNC)))
    overviews = [overview(target) for target in Target.objects.all()] if may_see else None
    return {**found, "overviews": overviews}
