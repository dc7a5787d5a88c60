"""The steps of a guided setup: their order, their addresses, who may take them, and their pages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.kit.pages import model_page
from syncer.admin.parts import pk_or_404
from syncer.core.errors import SyncError
from syncer.models import Binding, Route, Target
from syncer.models.mapping import declarations
from syncer.models.target import SYNC_PERMISSION
from syncer.reports.reading import not_carried
from syncer.targets.base import kinds
from syncer.targets.guide import Guide


class Step(StrEnum):
    """The steps, in their order; the value is a part of the address."""

    ADDRESS = "address"
    SIGN_IN = "sign-in"
    TRY = "try"
    RECORDS = "records"
    FIELDS = "fields"
    FINISH = "finish"


TITLES: Mapping[Step, Promise] = {
    Step.ADDRESS: gettext_lazy("Address"),
    Step.SIGN_IN: gettext_lazy("Sign-in"),
    Step.TRY: gettext_lazy("Try it"),
    Step.RECORDS: gettext_lazy("Records"),
    Step.FIELDS: gettext_lazy("Fields"),
    Step.FINISH: gettext_lazy("What will follow"),
}
OF_A_ROUTE = (Step.FIELDS, Step.FINISH)
TARGET_PERMISSION = "syncer.change_target"
NEEDED = {  # beside TARGET_PERMISSION; whoever uses the secret needs the permission of those who may sync
    Step.ADDRESS: (),
    Step.SIGN_IN: (),
    Step.TRY: (SYNC_PERMISSION,),
    Step.RECORDS: (SYNC_PERMISSION, "syncer.add_route"),
    Step.FIELDS: (SYNC_PERMISSION, "syncer.change_route"),
    Step.FINISH: (SYNC_PERMISSION, "syncer.change_route"),
}


@dataclass(frozen=True, kw_only=True)
class At:
    """A person at a step of a target's setup.

    Attributes:
        target: saved, but at the first step of a new one.
        route: of the steps after the records; None before.
    """

    admin: "ModelAdmin[Any]"
    request: HttpRequest
    step: Step
    target: Target
    route: Route | None = None

    @property
    def guide(self) -> Guide:
        """The guide of the target's kind.

        Raises:
            Http404: the kind is not set up by a guide.
        """
        if guide := guide_of(self.target):
            return guide
        raise Http404

    @property
    def routed(self) -> Route:
        """The route of a step that has one."""
        if self.route is None:
            raise Http404
        return self.route

    def page(self, **context: object) -> HttpResponse:
        """Return the page of the step."""
        name = str(self.target) or _("a target")
        title = _("Set up %(target)s: %(step)s") % {"target": name, "step": TITLES[self.step]}
        template = f"syncer/setup/{self.step}.html"
        context |= {"target": self.target, "route": self.route, "links": [*links(self)], "step": self.step}
        context["back"] = back(self)
        context["heading"] = _("Set up: %(step)s") % {"step": TITLES[self.step]}
        stored = self.target if self.target.pk else None
        return model_page(self.admin, self.request, template, title=title, original=stored, **context)


def guide_of(target: Target) -> Guide | None:
    return kinds()[target.kind].guide if target.kind in kinds() else None


def view(step: Step, show: Callable[[At], HttpResponse]) -> Callable[..., HttpResponse]:
    """Return the view of a step, which finds its rows and checks the permissions."""

    def shown(admin: "ModelAdmin[Any]", request: HttpRequest, object_id: str = "", route_id: str = "") -> HttpResponse:
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "POST"])
        needed = (TARGET_PERMISSION if object_id else "syncer.add_target", *NEEDED[step])
        if not all(request.user.has_perm(permission) for permission in needed):
            raise PermissionDenied
        target = get_object_or_404(Target, pk=pk_or_404(object_id)) if object_id else Target(enabled=False)
        route = get_object_or_404(unsent(target), pk=pk_or_404(route_id)) if route_id else None
        if route:
            if why := not_carried(request, route.model):
                raise PermissionDenied(why)
            route.target = target
        return _shown(show, At(admin=admin, request=request, step=step, target=target, route=route))

    return shown


def _shown(show: Callable[[At], HttpResponse], at: At) -> HttpResponse:
    """Return the page of a step; where the target's routes can't work, their list with the reason.

    Raises:
        Http404: the kind is not set up by a guide.
    """
    if guide_of(at.target) is None:
        raise Http404
    try:
        return show(at)
    except SyncError as error:
        messages.error(at.request, f"{at.target} {error}.")
        routes = reverse("admin:syncer_route_changelist")
        return HttpResponseRedirect(f"{routes}?target__id__exact={at.target.pk}")


def bound(admin: "ModelAdmin[Any]", shown: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Return a view for the admin's URLs."""
    return admin.admin_site.admin_view(partial(shown, admin))


def unsent(target: Target) -> "Any":
    """Return the routes that never sent anything: only they are set up here, for a change of others has effects."""
    sent = Binding.objects.filter(route__target=target).values("route")
    return target.routes.filter(mark="", model__in=declarations()).exclude(pk__in=sent)


def address(step: Step, target: Target, route: Route | None = None) -> str:
    """Return the address of a step."""
    keys = [target.pk, *([route.pk] if route and step in OF_A_ROUTE else [])]
    return reverse(f"admin:syncer_target_setup_{step.name.lower()}", args=keys)


def links(at: At) -> "list[tuple[int, Promise, str, bool]]":
    """Return number, title, address and whether it is this one of each step; without an address if out of reach."""
    return [
        (number, title, _reachable(at, step), step is at.step) for number, (step, title) in enumerate(TITLES.items(), 1)
    ]


def _reachable(at: At, step: Step) -> str:
    route = at.route or (unsent(at.target).first() if at.target.pk and step in OF_A_ROUTE else None)
    may = all(at.request.user.has_perm(permission) for permission in (TARGET_PERMISSION, *NEEDED[step]))
    if at.target.pk is None or not may or (step in OF_A_ROUTE and route is None):
        return ""
    return address(step, at.target, route)


def back(at: At) -> str:
    """Return the address of the step before; empty at the first."""
    steps = [*Step]
    number = steps.index(at.step)
    return _reachable(at, steps[number - 1]) if number else ""


def to_continue(target: Target) -> str:
    """Return the address at which the setup of a target goes on; empty where nothing is left to set up."""
    if guide_of(target) is None or target.enabled:
        return ""
    if not target.routes.exists():
        return address(Step.SIGN_IN, target)
    route = unsent(target).filter(enabled=False).first()
    return address(Step.FIELDS, target, route) if route else ""
