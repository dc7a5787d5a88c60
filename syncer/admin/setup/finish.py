"""The last step: what will follow, when it syncs, and the switch."""

from copy import copy

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from backoffice.kit.estimates import count
from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import message_of
from syncer import public
from syncer.admin.setup.forms import StepForm
from syncer.admin.setup.steps import At, Step, address
from syncer.admin.trigger import TriggerField
from syncer.core.errors import SyncError
from syncer.models import Route, Target
from syncer.models.route import CHANGE
from syncer.models.routemap import RouteMap
from syncer.reports.following import named_numbers
from syncer.targets.base import kind_of
from syncer.targets.previews import Adoption


class FinishForm(StepForm, forms.ModelForm):  # type: ignore[type-arg]
    trigger = TriggerField(label=gettext_lazy("When it syncs"))

    class Meta:
        model = Route
        fields = ("existing", "trigger")
        widgets = {"existing": forms.RadioSelect}
        labels = {"existing": gettext_lazy("Records that are there already")}
        help_texts = {
            "existing": gettext_lazy("What the first sync does with records that look like ours, by the ticked fields.")
        }


def show(at: At) -> HttpResponse:
    """Show what will follow (GET); count the records that are there already, or save (POST)."""
    route, posted = at.routed, at.request.POST
    form = FinishForm(posted if at.request.method == "POST" else None, instance=route)
    if form.is_bound and form.is_valid() and "count" not in posted:
        return _saved(at, form, is_on="on" in posted)
    context: dict[str, object] = {}
    if form.is_bound and form.is_valid():
        context = {"adoptions": _adoptions(at.target, route), "is_counted": True}
    parents = [one.parent for one in RouteMap(at.target).links_up(route) if one.parent and not one.parent.enabled]
    number = count(RouteMap(at.target, unsaved=[route]).wanted(route))
    context["what"] = named_numbers({route.declaration.model: number}) or _("nothing yet")
    return at.page(form=form, number=number, parents=[one.model for one in parents if one != route], **context)


def _adoptions(target: Target, route: Route) -> list[Adoption]:
    """Return what the first sync would make of their records, as if target and route were on. Nothing is written."""
    on, routed = copy(target), copy(route)
    on.enabled = routed.enabled = True
    routed.target = on
    try:
        return [*kind_of(on).adoptions(RouteMap(on, unsaved=[routed]))]
    except SyncError as error:
        return [Adoption(route=route, why=f"{localized(message_of(error))}.")]


def _saved(at: At, form: FinishForm, *, is_on: bool) -> HttpResponse:
    """Save what was chosen, and switch route and target on if the person said so."""
    route, target = form.save(commit=False), at.target
    if is_on:
        route.enabled = True
    route.save(update_fields=["existing", "trigger", "enabled"])
    at.admin.log_change(at.request, target, f"Set up: {route.model} is {'on' if route.enabled else 'off'}.")
    words = {"models": route.declaration.model._meta.verbose_name_plural, "target": target}
    if not is_on:
        text = _("The route for %(models)s is saved and still off. Nothing is sent to %(target)s.")
        messages.success(at.request, text % words)
        if "another" in at.request.POST:
            return HttpResponseRedirect(address(Step.RECORDS, target))
        return HttpResponseRedirect(reverse("admin:syncer_target_change", args=[target.pk]))
    if Target.objects.filter(pk=target.pk, enabled=False).update(enabled=True):
        record(Action.TARGET_CHANGED, target, fields=["enabled"], enabled=True)
    Target.objects.filter(pk=target.pk).update(blocked="")
    target.enabled, target.blocked = True, ""
    if route.trigger == CHANGE:
        public.follow(target)
        text = _("%(target)s is on. The %(models)s are sent now, and each change within seconds.")
    elif route.interval:
        text = _("%(target)s is on. The %(models)s are sent at the chosen times, for the first time soon.")
    else:
        text = _("%(target)s is on. Press Sync now to send the %(models)s.")
    messages.success(at.request, text % words)
    return HttpResponseRedirect(reverse("admin:syncer_target_change", args=[target.pk]))
