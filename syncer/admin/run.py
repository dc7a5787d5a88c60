"""Runs, with the page that shows the progress of one; and attempts, the requests that runs made."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from backoffice.kit.filters import TimeRangeFilter
from backoffice.kit.pages import model_page
from backoffice.kit.phrase_field import localized
from syncer.admin import failures
from syncer.admin.parts import EngineRowsAdmin, Named, chip, linked, live, named, pk_or_404, posted, pretty
from syncer.engine.cancel import cancel
from syncer.models import Attempt, Run
from syncer.models.target import SYNC_PERMISSION
from syncer.reports.overview import waiting_deletes
from syncer.reports.progress import Progress, progress
from syncer.reports.reading import headline
from syncer.reports.words import spelled
from syncer.targets.base import kind_of


def as_json(request: HttpRequest, state: Progress) -> dict[str, object]:
    """Return the progress of a run in the form that the script of its page reads.

    `{state, label, open, total, done, percent, pace, counts, message, hint, ended}`.
    """
    return {
        "state": state.run.state,
        "label": state.run.get_state_display(),
        "open": state.is_open,
        "total": state.total,
        "done": state.done,
        "percent": state.percent,
        "pace": state.pace,
        "counts": {
            word: state.counts.get(word, 0)
            for word in (*dict.fromkeys(kind_of(state.run.target).done.values()), "requests", "failed")
        },
        "message": headline(request, state.message),
        "hint": state.hint,
        "ended": ""
        if state.is_open
        else _("Sync of %(target)s ended: %(message)s")
        % {"target": state.run.target, "message": headline(request, state.message)},
    }


if TYPE_CHECKING:

    class AnnotatedRun(Run):
        """A run with its message as this person may read it, as `RunAdmin.annotate` sets it."""

        headline: str

        class Meta:
            abstract = True

    class AnnotatedAttempt(Attempt):
        """An attempt with its object, as `AttemptAdmin.annotate` sets it."""

        named: Named

        class Meta:
            abstract = True


def _local(at: datetime) -> str:
    return f"{localtime(at):%Y-%m-%d %H:%M}"


@admin.register(Run)
class RunAdmin(EngineRowsAdmin):
    list_display = ("created_at", "target", "trigger", "user", "shown_state", "shown_message", "shown_duration")
    list_before_template = "jobs/live_list.html"
    list_display_links = ("created_at",)
    list_select_related = ("target",)
    list_filter = (
        ("target", RelatedDropdownFilter),
        ("state", ChoicesDropdownFilter),
        ("trigger", ChoicesDropdownFilter),
        ("created_at", TimeRangeFilter),
    )
    linked_lookups = ("pk__in",)
    search_fields = ("message",)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def shown_state(self, run: Run) -> SafeString:
        return chip(run.state, run.get_state_display())

    def annotate(self, request: HttpRequest, rows: "Iterable[AnnotatedRun]") -> None:
        for run in rows:
            run.headline = headline(request, run.message)

    @admin.display(description=gettext_lazy("message"))
    def shown_message(self, run: "AnnotatedRun") -> str:
        return run.headline

    @admin.display(description=gettext_lazy("duration"))
    def shown_duration(self, run: Run) -> str:
        return "" if run.duration is None else spelled(run.duration)

    def get_urls(self) -> list[URLPattern]:
        views = {
            "progress/": (self.progress_view, "progress"),
            "failures/": (self.failures_view, "failures"),
            "failures.csv": (self.download_view, "download"),
            "retry/": (self.retry_view, "retry"),
            "cancel/": (self.cancel_view, "cancel"),
        }
        own = [
            path(f"<path:pk>/{end}", self.admin_site.admin_view(view), name=f"syncer_run_{name}")
            for end, (view, name) in views.items()
        ]
        return [*own, *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, *_args: object, **_options: object) -> HttpResponse:
        """Show the progress of the run, its numbers and the objects that failed."""
        run = self._run(request, object_id)
        return model_page(
            self,
            request,
            "syncer/run.html",
            title=_("Sync of %(target)s, %(time)s") % {"target": run.target, "time": _local(run.created_at)},
            original=run,
            progress=as_json(request, progress(run)),
            chosen=sum(len(keys) for keys in run.scope.values()) if run.scope else 0,
            progress_url=reverse("admin:syncer_run_progress", args=[run.pk]),
            deletes_wait=bool(waiting_deletes(run.target)),
            attempts_url=f"{reverse('admin:syncer_attempt_changelist')}?run__id__exact={run.pk}",
            **failures.shown(request, run),
        )

    def progress_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Return the progress as JSON, in the form of `as_json`."""
        return JsonResponse(as_json(request, progress(self._run(request, pk))), headers={"Cache-Control": "no-store"})

    def failures_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Return the part of the page that shows what failed, for its script."""
        return live(request, "syncer/failures.html", **failures.shown(request, self._run(request, pk)))

    def download_view(self, request: HttpRequest, pk: str) -> HttpResponseBase:
        return failures.download(request, self._run(request, pk))

    @posted(SYNC_PERMISSION)
    def retry_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        return failures.retry(request, self._run(request, pk))

    @posted(SYNC_PERMISSION)
    def cancel_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Cancel the run: it stops after what is under way."""
        run = self._run(request, pk)
        if cancel(run, user=request.user):
            messages.success(
                request, _("Cancelled: the run stops after what is under way. The rest goes with the next sync.")
            )
        else:
            messages.info(request, _("The run has ended, or was cancelled already."))
        return HttpResponseRedirect(reverse("admin:syncer_run_change", args=[run.pk]))

    def _run(self, request: HttpRequest, pk: str) -> Run:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(Run.objects.select_related("target"), pk=pk_or_404(pk))


@admin.register(Attempt)
class AttemptAdmin(EngineRowsAdmin):
    list_display = ("at", "binding", "action", "shown_outcome", "status", "method", "address", "milliseconds")
    list_select_related = ("binding__route",)
    list_filter = (
        ("run__target", RelatedDropdownFilter),
        ("action", ChoicesDropdownFilter),
        ("outcome", ChoicesDropdownFilter),
        ("at", TimeRangeFilter),
    )
    linked_lookups = ("run__id__exact", "binding__id__exact")
    search_fields = ("binding__object_key", "url")
    search_help_text = gettext_lazy("An object's key, or a part of the address.")
    fields = (
        "of", "at", "milliseconds", "action", "shown_outcome", "method", "address", "sent", "status", "answered", "run",
    )  # fmt: skip
    readonly_fields = ("of", "address", "sent", "answered", "shown_outcome")

    def annotate(self, request: HttpRequest, rows: "Iterable[AnnotatedAttempt]") -> None:
        attempts = list(rows)
        objects = named(request, [attempt.binding for attempt in attempts])
        for attempt in attempts:
            attempt.named = objects[attempt.binding_id]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Attempt]":
        attempts: QuerySet[Attempt] = super().get_queryset(request)
        return attempts.select_related("binding__route", "run__target")

    @admin.display(description=gettext_lazy("outcome"), ordering="outcome")
    def shown_outcome(self, attempt: Attempt) -> SafeString:
        return chip(attempt.outcome, attempt.get_outcome_display())

    @admin.display(description=gettext_lazy("request"))
    def sent(self, attempt: "AnnotatedAttempt") -> SafeString | str:
        return attempt.named.unseen or pretty(attempt.request)

    @admin.display(description=gettext_lazy("address"))
    def address(self, attempt: "AnnotatedAttempt") -> str:
        return attempt.named.unseen or attempt.url

    @admin.display(description=gettext_lazy("answer"))
    def answered(self, attempt: "AnnotatedAttempt") -> str:
        return attempt.named.unseen or localized(attempt.answer) or "-"

    @admin.display(description=gettext_lazy("object"))
    def of(self, attempt: "AnnotatedAttempt") -> SafeString:
        return linked(attempt.named)
