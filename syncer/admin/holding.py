"""The actions *Hold …* and *Release …* of the list of bindings."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.kit.jobs.models import Job
from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import message_of
from backoffice.kit.question import Question, ReasonForm, ask, is_answered
from syncer.admin.parts import named
from syncer.core.errors import NotPossibleError
from syncer.engine import many
from syncer.engine.holding import Chosen, bindings_of
from syncer.models import Binding
from syncer.models.target import SYNC_PERMISSION
from syncer.reports import holds

NAMED = 10  # objects that a question names
MOST = 100_000  # objects of one act, so that its job holds their keys

if TYPE_CHECKING:
    from unfold.admin import ModelAdmin as Base
else:
    Base = object


class BindingActs(Base):  # type: ignore[misc]
    """What the actions of bindings share: the permission, the question, and where they lead."""

    def has_sync_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(SYNC_PERMISSION)

    def ask(
        self,
        request: HttpRequest,
        queryset: "QuerySet[Binding]",
        *,
        title: str,
        follows: Sequence[str],
        answer: str,
        form: forms.Form | None = None,
        digest: str = "",
        number: int | None = None,
    ) -> HttpResponse:
        """Ask about the objects of the queryset; `number`: how many they are, if it has only the first of them."""
        number, first = queryset.count() if number is None else number, list(queryset[:NAMED])
        objects = named(request, first)
        names = [f"{objects[one.pk].name} {objects[one.pk].title} ({one.route.target})" for one in first]
        question = Question(
            title=title,
            follows=follows,
            answer=answer,
            names=names,
            more=number - len(first),
            form=form,
            back=self.back(request),
            digest=digest,
        )
        return ask(self, request, question)

    def after(self, request: HttpRequest, outcome: object) -> HttpResponse:
        """Redirect to the job, if one was started, otherwise to where the person came from."""
        if isinstance(outcome, Job):
            return redirect("admin:jobs_job_change", outcome.pk)
        return redirect(self.back(request))

    def back(self, request: HttpRequest) -> str:
        """Return the address of the list with its filters; of the binding, where its button was pressed."""
        pk = request.POST.get("of", "")
        return reverse("admin:syncer_binding_change", args=[pk]) if pk.isdecimal() else request.get_full_path()


class HoldActs(BindingActs):
    """Holds the objects of chosen bindings back, and releases them."""

    @admin.action(description=gettext_lazy("Hold …"), permissions=["sync"])
    def hold(self, request: HttpRequest, queryset: "QuerySet[Binding]") -> HttpResponse:
        form = ReasonForm(request.POST if is_answered(request) else None)
        if form.is_valid():
            try:
                held = many.hold(chosen(queryset), reason=form.cleaned_data["reason"], user=request.user)
            except NotPossibleError as error:
                form.add_error(None, localized(message_of(error)))
            else:
                if isinstance(held, int):
                    messages.success(request, holds.held(held, targets=1))
                return self.after(request, held)
        number = queryset.count()
        title = ngettext("Hold %(number)d object?", "Hold %(number)d objects?", number) % {"number": number}
        return self.ask(request, queryset, title=title, follows=holds.hold_follows(), answer=_("Hold"), form=form)

    @admin.action(description=gettext_lazy("Release …"), permissions=["sync"])
    def release(self, request: HttpRequest, queryset: "QuerySet[Binding]") -> HttpResponse:
        held = queryset.filter(on_hold=True)
        if is_answered(request):
            return self._release(request, held)
        number = held.count()
        title = ngettext("Release %(number)d object?", "Release %(number)d objects?", number) % {"number": number}
        return self.ask(request, held, title=title, follows=holds.release_follows(), answer=_("Release"))

    def _release(self, request: HttpRequest, held: "QuerySet[Binding]") -> HttpResponse:
        try:
            released = many.release(chosen(held), user=request.user)
        except NotPossibleError as error:
            messages.error(request, localized(message_of(error)))
            return self.after(request, None)
        if not isinstance(released, Job):
            messages.success(request, holds.released(released, targets=1))
        return self.after(request, released)


def chosen(queryset: "QuerySet[Any]") -> Chosen:
    """Return the objects of these bindings.

    Raises:
        NotPossibleError: there are too many for one act.
    """
    if queryset.order_by()[: MOST + 1].count() > MOST:
        raise NotPossibleError(
            _("More than %(most)d objects are chosen. Filter the list, and do it in parts.") % {"most": MOST}
        )
    return bindings_of(queryset)
