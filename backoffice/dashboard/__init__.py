"""The admin's first page: what operators, and what editors, want to know before anything else."""

from datetime import timedelta

from django.http import HttpRequest
from django.utils.translation import gettext as _

from backoffice.kit import clock
from content.base.changes import recent
from syncer import public

DAY = timedelta(days=1)
OPERATORS = ("syncer.view_target", "syncer.change_target", public.SYNC_PERMISSION)


def context(request: HttpRequest, base: dict[str, object]) -> dict[str, object]:
    """Return the template's context with `operators` and `editors`, each None for who has no part in it.

    The theme calls it by UNFOLD["DASHBOARD_CALLBACK"].
    """
    operators, editors = _operators(request), _editors(request)
    is_without_role = not (operators or recent.sees_all_of_any(request))
    found = {"operators": operators, "editors": editors, "is_without_role": is_without_role}
    return {**base, **found, "title": _("Home")}


def _operators(request: HttpRequest) -> dict[str, object] | None:
    """Return the state of all targets; None for who may not see them."""
    if not any(map(request.user.has_perm, OPERATORS)):
        return None
    home = public.home()
    may_see_runs = any(map(request.user.has_perm, ("syncer.view_run", public.SYNC_PERMISSION)))
    return {"home": home, "activity": public.last_day(clock.now()) if home.overviews and may_see_runs else None}


def _editors(request: HttpRequest) -> dict[str, object] | None:
    """Return what waits for this person and who edited what; None for who may see no content."""
    if not recent.visible_models(request):
        return None
    return {
        "waiting": public.waiting_for(request),
        "mine": recent.my_edits(request),
        "people": recent.edits_by_person(request, clock.now() - DAY),
    }
