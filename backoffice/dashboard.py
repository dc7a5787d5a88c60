"""The admin's index: an overview of every target, above the lists."""

from django.http import HttpRequest

from syncer import public


def context(request: HttpRequest, base: dict[str, object]) -> dict[str, object]:
    """Return the template's context with `overviews`; None if the user may not see targets.

    The theme calls it by UNFOLD["DASHBOARD_CALLBACK"].
    """
    may_see = any(map(request.user.has_perm, ("syncer.view_target", "syncer.change_target", public.SYNC_PERMISSION)))
    if not may_see:
        return {**base, "overviews": None}
    overviews = public.overviews()
    return {**base, "overviews": overviews, "summary": public.summary(overviews)}
