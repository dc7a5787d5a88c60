"""The actions of the list of conflicts: one side's values for all the chosen ones."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminTextInputWidget

from backoffice.kit.context import REASON_LENGTH
from backoffice.kit.jobs import service
from backoffice.kit.question import Question, ask, digest_of, is_answered
from syncer.admin.deciding import show_result
from syncer.engine import many
from syncer.models import Replica
from syncer.targets.peer import conflicts_many
from syncer.targets.peer.conflicts_many import Side, open_among

NAMED = 10  # objects that a question names
MOST = 10_000  # conflicts of one act: each is read before the question is asked

if TYPE_CHECKING:
    from syncer.admin.parts import EngineRowsAdmin as Base
else:
    Base = object


class WhyForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason (optional)"),
        required=False,
        max_length=REASON_LENGTH,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("It is kept in the history, at both ends."),
    )


class ConflictActs(Base):
    """Takes our values, or theirs, in chosen conflicts; each needs the permission to edit that object."""

    @admin.action(description=gettext_lazy("Take ours …"))
    def take_ours(self, request: HttpRequest, queryset: "QuerySet[Replica]") -> HttpResponse:
        return self._take(request, queryset, Side.OURS)

    @admin.action(description=gettext_lazy("Take theirs …"))
    def take_theirs(self, request: HttpRequest, queryset: "QuerySet[Replica]") -> HttpResponse:
        return self._take(request, queryset, Side.THEIRS)

    def _take(self, request: HttpRequest, queryset: "QuerySet[Replica]", side: Side) -> HttpResponse:
        """Ask first, then decide exactly the conflicts that were asked about."""
        if queryset[MOST:].exists():
            text = _("More than %(most)d conflicts are chosen. Filter the list, and do it in parts.") % {"most": MOST}
            messages.error(request, text)
            return redirect(request.get_full_path())
        seen, form = open_among(queryset), WhyForm(request.POST if is_answered(request) else None)
        digest = digest_of(seen)
        if is_answered(request) and request.POST.get("digest") != digest:
            messages.warning(request, _("This has changed since you looked; nothing was decided. Look again."))
            form = WhyForm()
        if not form.is_valid():
            return self._ask(request, queryset, side, form, seen, digest)
        reason = form.cleaned_data["reason"]
        if len(seen) > many.DECIDED_AT_ONCE:
            job = service.start(
                f"{conflicts_many.__name__}.decide_job",
                user=request.user,
                title=_("Decide conflicts"),
                total=len(seen),
                arguments={"seen": seen, "side": side, "reason": reason},
                resumes=service.RESUMES,
            )
            return redirect("admin:jobs_job_change", job.pk)
        show_result(request, conflicts_many.decide_all(seen, side, user=request.user, reason=reason))
        return redirect(request.get_full_path())

    def _ask(
        self,
        request: HttpRequest,
        queryset: "QuerySet[Replica]",
        side: Side,
        form: forms.Form,
        seen: Sequence[Any],
        digest: str,
    ) -> HttpResponse:
        first: list[Any] = list(queryset[:NAMED])
        self.annotate(request, first)
        if side is Side.OURS:
            title = ngettext("Take ours in %(number)d conflict?", "Take ours in %(number)d conflicts?", len(seen))
        else:
            title = ngettext("Take theirs in %(number)d conflict?", "Take theirs in %(number)d conflicts?", len(seen))
        follows = [
            _("In each, the other values of the fields in conflict are overruled, at both ends; all else stays."),
            _(
                "What can't be decided so is left as it is and named: where there is no single value to take, where "
                "the result is not valid, or what you may not edit."
            ),
        ]
        return ask(
            self,
            request,
            Question(
                title=title % {"number": len(seen)},
                follows=follows,
                answer=_("Take ours") if side is Side.OURS else _("Take theirs"),
                names=[one.title for one in first],
                more=max(0, len(seen) - len(first)),
                form=form,
                back=request.get_full_path(),
                digest=digest,
            ),
        )
