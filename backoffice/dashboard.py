"""The admin's index: every target with what waits for it, before the lists."""

from typing import Any

from django.http import HttpRequest

from syncer import public


def context(request: HttpRequest, found: dict[str, Any]) -> dict[str, Any]:
    """UNFOLD["DASHBOARD_CALLBACK"]: adds `overviews` for those who may see targets; None for the others."""
    may_see = any(map(request.user.has_perm, ("syncer.view_target", "syncer.change_target", public.SYNC_PERMISSION)))
    return {**found, "overviews": public.overviews() if may_see else None}
