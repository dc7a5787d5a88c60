"""The actions that decide about many bindings at once: one answer for all the chosen ones."""

from collections.abc import Sequence

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.kit.jobs import service
from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import message_of
from backoffice.kit.question import digest_of, is_answered
from syncer import public
from syncer.admin.holding import BindingActs, chosen
from syncer.admin.parts import to_runs
from syncer.core.errors import NotPossibleError
from syncer.engine import many
from syncer.engine.many import Acted
from syncer.models import Binding
from syncer.targets.rest import doubt_many
from syncer.targets.rest.doubt_many import Answer, asked_among

REFUSED = 5  # named in a message


class DecideActs(BindingActs):
    """Tries chosen objects again, and answers the question about those that wait for a person."""

    @admin.action(description=gettext_lazy("Try again"), permissions=["sync"])
    def try_again(self, request: HttpRequest, queryset: "QuerySet[Binding]") -> HttpResponse:
        if queryset.count() <= many.AT_ONCE:
            return to_runs(request, public.sync_bindings(queryset, user=request.user))
        try:
            return self.after(request, many.retry(chosen(queryset), user=request.user))
        except NotPossibleError as error:
            messages.error(request, localized(message_of(error)))
            return self.after(request, None)

    @admin.action(description=gettext_lazy("Not there: create again …"), permissions=["sync"])
    def not_there(self, request: HttpRequest, queryset: "QuerySet[Binding]") -> HttpResponse:
        return self._decide(request, queryset, Answer.NOT_THERE)

    @admin.action(description=gettext_lazy("Link to the only match …"), permissions=["sync"])
    def only_match(self, request: HttpRequest, queryset: "QuerySet[Binding]") -> HttpResponse:
        return self._decide(request, queryset, Answer.ONLY_MATCH)

    def _decide(self, request: HttpRequest, queryset: "QuerySet[Binding]", answer: Answer) -> HttpResponse:
        """Ask first, then give the answer for exactly the objects that were asked about."""
        seen = asked_among(queryset, answer)
        if not seen:
            messages.warning(request, _("None of these can be decided so. Nothing was changed."))
            return self.after(request, None)
        digest = digest_of(seen)
        if not is_answered(request) or request.POST.get("digest") != digest:
            if is_answered(request):
                messages.warning(request, _("This has changed since you looked; nothing was decided. Look again."))
            return self._ask(request, queryset, answer, seen, digest)
        if len(seen) > many.DECIDED_AT_ONCE:
            job = service.start(
                f"{doubt_many.__name__}.decide_job",
                user=request.user,
                title=_("Decide about objects"),
                total=len(seen),
                arguments={"seen": seen, "answer": answer},
                resumes=service.RESUMES,
            )
            return self.after(request, job)
        acted = doubt_many.decide_all(seen, answer, user=request.user)
        show_result(request, acted)
        decided = Binding.objects.filter(pk__in=[pk for pk, _ in seen]).select_related("route__target")
        return to_runs(request, public.sync_bindings(decided, user=request.user))

    def _ask(
        self,
        request: HttpRequest,
        queryset: "QuerySet[Binding]",
        answer: Answer,
        seen: Sequence[tuple[int, int]],
        digest: str,
    ) -> HttpResponse:
        number, others = len(seen), queryset.count() - len(seen)
        if answer is Answer.NOT_THERE:
            title = ngettext("Create %(number)d object again?", "Create %(number)d objects again?", number)
            follows = [
                _(
                    "You say that the target has no record of these objects. Each is then created again, as it is now, "
                    "with a new key; nothing is sent for those that are gone here."
                ),
                _("Check first: what is there after all, the target has twice then."),
            ]
        else:
            title = ngettext(
                "Link %(number)d object to its only match?", "Link %(number)d objects to their only match?", number
            )
            follows = [
                _(
                    "You say that the one record that was found for each of these objects is its own. All our fields "
                    "are sent to it then, and replace what it holds."
                )
            ]
        if others:
            left = ngettext(
                "%(others)d of the chosen is left as it is: it can't be decided so.",
                "%(others)d of the chosen are left as they are: they can't be decided so.",
                others,
            )
            follows.append(left % {"others": others})
        rows = queryset.filter(pk__in=[pk for pk, _ in seen[: many.AT_ONCE]]).order_by("pk")
        return self.ask(
            request, rows, title=title % {"number": number}, follows=follows, answer=_("Yes, it is so"),
            digest=digest, number=number,
        )  # fmt: skip


def show_result(request: HttpRequest, acted: Acted) -> None:
    """Add messages that say how many were decided, and why others were not."""
    if acted.done:
        text = ngettext("%(number)d object is decided.", "%(number)d objects are decided.", acted.done)
        messages.success(request, text % {"number": acted.done})
    for _name, why in acted.refused[:REFUSED]:
        messages.error(request, why)
    if (more := len(acted.refused) - REFUSED) > 0:
        text = ngettext("%(more)d more was not decided.", "%(more)d more were not decided.", more)
        messages.error(request, text % {"more": more})
