"""The actions *Hold …* and *Release …* of a content model's list, and their buttons on the form."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from backoffice.kit.jobs.models import Job
from backoffice.kit.question import Question, ReasonForm, ask, is_answered
from backoffice.kit.urls import admin_url
from content.base.sync_admin import SyncAdmin
from syncer import public

NAMED = 10  # objects that the question names
MOST = 100_000  # objects of one act, so that its job holds their keys


class WhereForm(forms.Form):
    """Asks at which of a model's targets; empty: at all of them."""

    target = forms.ChoiceField(label=gettext_lazy("Where"), required=False, widget=UnfoldAdminSelectWidget)

    def __init__(self, model: type[Model], data: Any = None) -> None:
        super().__init__(data)
        self.targets = {target.name: target for target in public.targets_with_routes(model)}
        choices = [(name, str(target)) for name, target in self.targets.items()]
        field: Any = self.fields["target"]
        field.choices = choices if len(choices) == 1 else [("", _("At all targets")), *choices]

    @property
    def chosen(self) -> list[public.Target] | None:
        name = self.cleaned_data["target"]
        return [self.targets[name]] if name else None


class HoldForm(ReasonForm, WhereForm):
    pass


class HoldAdmin(SyncAdmin):
    """Holds chosen objects back from targets, and releases them."""

    actions: tuple[str, ...] = (*SyncAdmin.actions, "hold", "release")

    def render_change_form(self, request: HttpRequest, context: Any, **options: Any) -> HttpResponse:
        page: HttpResponse = super().render_change_form(request, context, **options)
        if states := {state.state for state in context.get("sync_states", ())}:  # the page is not rendered yet
            context["holding"] = {
                "url": admin_url(self.model, "changelist"),
                "pk": options["obj"].pk,
                "is_held": public.State.ON_HOLD in states,
                "is_free": states != {public.State.ON_HOLD},
            }
        return page

    @admin.action(description=gettext_lazy("Hold …"), permissions=["sync"])
    def hold(self, request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponse:
        form = HoldForm(self.model, request.POST if is_answered(request) else None)
        if not form.is_valid():
            return self._ask(request, queryset, form, _("Hold"), public.hold_follows())
        try:
            held = public.hold_objects(
                self.model, _keys(queryset), reason=form.cleaned_data["reason"], user=request.user, targets=form.chosen
            )
        except public.NotPossibleError as error:
            form.add_error(None, str(error))
            return self._ask(request, queryset, form, _("Hold"), public.hold_follows())
        if isinstance(held, int):
            messages.success(request, public.held(held, targets=len(form.targets)))
        return self._after(request, held)

    @admin.action(description=gettext_lazy("Release …"), permissions=["sync"])
    def release(self, request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponse:
        form = WhereForm(self.model, request.POST if is_answered(request) else None)
        if not form.is_valid():
            return self._ask(request, queryset, form, _("Release"), public.release_follows())
        try:
            released = public.release_objects(self.model, _keys(queryset), user=request.user, targets=form.chosen)
        except public.NotPossibleError as error:
            form.add_error(None, str(error))
            return self._ask(request, queryset, form, _("Release"), public.release_follows())
        if isinstance(released, public.Released):
            messages.success(request, public.released(released, targets=len(form.targets)))
        return self._after(request, released)

    def _ask(
        self, request: HttpRequest, queryset: "QuerySet[Any]", form: forms.Form, answer: str, follows: Sequence[str]
    ) -> HttpResponse:
        number = queryset.count()
        noun = self.opts.verbose_name if number == 1 else self.opts.verbose_name_plural
        names = [str(obj) for obj in queryset[:NAMED]]
        return ask(
            self,
            request,
            Question(
                title=_("%(act)s %(number)d %(noun)s?") % {"act": answer, "number": number, "noun": noun},
                follows=follows,
                answer=answer,
                names=names,
                more=number - len(names),
                form=form,
                back=self._back(request),
            ),
        )

    def _after(self, request: HttpRequest, outcome: object) -> HttpResponse:
        """Redirect to the job, if one was started, otherwise to where the person came from."""
        if isinstance(outcome, Job):
            return redirect("admin:jobs_job_change", outcome.pk)
        return redirect(self._back(request))

    def _back(self, request: HttpRequest) -> str:
        """Return the address of the list with its filters; of the form, where its button was pressed."""
        if pk := request.POST.get("of"):
            return admin_url(self.model, "change", pk)
        return request.get_full_path()


def _keys(queryset: "QuerySet[Any]") -> list[Any]:
    """Return the primary keys of the chosen objects.

    Raises:
        NotPossibleError: there are too many for one act.
    """
    keys = list(queryset.order_by().values_list("pk", flat=True)[: MOST + 1])
    if len(keys) > MOST:
        raise public.NotPossibleError(
            _("More than %(most)d objects are chosen. Filter the list, and do it in parts.") % {"most": MOST}
        )
    return keys
