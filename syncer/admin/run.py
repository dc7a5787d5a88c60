"""Runs, with the page that shows the progress of one; and attempts, the requests that runs made."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.views import ChangeList

from backoffice.kit.filters import TimeRangeFilter
from syncer.admin.parts import EngineRowsAdmin, chip, linked, named, pk_or_404, pretty
from syncer.models import Attempt, Run
from syncer.reports.progress import Progress, progress
from syncer.reports.reading import headline
from syncer.targets.base import kind_of

ANSWER = 300  # characters


def as_json(request: HttpRequest, state: Progress) -> dict[str, Any]:
    """Return the progress of a run in the form that the script of its page reads.

    `{state, label, open, total, done, percent, counts, message, hint, more, failures}`, with failures as
    `{object, title, link, action, outcome, status, answer}`.
    """
    objects = named(request, [attempt.binding for attempt in state.failures])
    return {
        "state": state.run.state,
        "label": state.run.get_state_display(),
        "open": state.is_open,
        "total": state.total,
        "done": state.done,
        "percent": state.percent,
        "counts": {
            word: state.counts.get(word, 0)
            for word in (*dict.fromkeys(kind_of(state.run.target).done.values()), "requests", "failed")
        },
        "message": headline(request, state.message),
        "hint": state.hint,
        "more": state.more,
        "failures": [
            {
                "object": objects[attempt.binding_id].name,
                "title": objects[attempt.binding_id].title,
                "link": objects[attempt.binding_id].url,
                "action": attempt.get_action_display(),
                "outcome": attempt.get_outcome_display(),
                "status": attempt.status,
                "answer": objects[attempt.binding_id].unseen or Truncator(attempt.answer).chars(ANSWER),
            }
            for attempt in state.failures
        ],
    }


class RunChangeList(ChangeList):  # type: ignore[misc]
    """A list with each run's message as this person may read it, `headline`."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        for run in self.result_list:
            run.headline = headline(request, run.message)


@admin.register(Run)
class RunAdmin(EngineRowsAdmin):
    list_display = ("created_at", "target", "trigger", "user", "shown_state", "shown_message")
    list_display_links = ("created_at",)
    list_select_related = ("target", "user")
    list_filter = (
        ("target", RelatedDropdownFilter),
        ("state", ChoicesDropdownFilter),
        ("trigger", ChoicesDropdownFilter),
        ("created_at", TimeRangeFilter),
    )
    search_fields = ("message",)

    @admin.display(description="state", ordering="state")
    def shown_state(self, run: Run) -> SafeString:
        return chip(run.state, run.get_state_display())

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[RunChangeList]:
        return RunChangeList

    @admin.display(description="message")
    def shown_message(self, run: Any) -> str:
        return str(run.headline)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.progress_view)
        return [path("<path:pk>/progress/", view, name="syncer_run_progress"), *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, *_: Any, **__: Any) -> HttpResponse:
        """Show the progress of the run, its numbers and the objects that failed."""
        run = self._run(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Sync of {run.target}",
            "opts": self.opts,
            "original": run,
            "run": run,
            "progress": as_json(request, progress(run)),
            "chosen": sum(len(keys) for keys in run.scope.values()) if run.scope else 0,
            "progress_url": reverse("admin:syncer_run_progress", args=[run.pk]),
            "attempts_url": f"{reverse('admin:syncer_attempt_changelist')}?run__id__exact={run.pk}",
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "syncer/run.html", context)

    def progress_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Return the progress as JSON, in the form of `as_json`."""
        return JsonResponse(as_json(request, progress(self._run(request, pk))), headers={"Cache-Control": "no-store"})

    def _run(self, request: HttpRequest, pk: str) -> Run:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(Run.objects.select_related("target", "user"), pk=pk_or_404(pk))


class AttemptChangeList(ChangeList):  # type: ignore[misc]
    """A list that reads the objects of a page in few queries."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        objects = named(request, [attempt.binding for attempt in self.result_list])
        for attempt in self.result_list:
            attempt.named = objects[attempt.binding_id]


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
    search_fields = ("binding__object_key", "url")
    search_help_text = "An object's key, or a part of the address."
    fields = (
        "of", "at", "milliseconds", "action", "shown_outcome", "method", "address", "sent", "status", "answered", "run",
    )  # fmt: skip
    readonly_fields = ("of", "address", "sent", "answered", "shown_outcome")

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[AttemptChangeList]:
        return AttemptChangeList

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Attempt]":
        attempts: QuerySet[Attempt] = super().get_queryset(request)
        return attempts.select_related("binding__route", "run__target")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        attempt: Any = super().get_object(request, object_id, from_field)
        if attempt is not None:
            attempt.named = named(request, [attempt.binding])[attempt.binding_id]
        return attempt

    @admin.display(description="outcome", ordering="outcome")
    def shown_outcome(self, attempt: Attempt) -> SafeString:
        return chip(attempt.outcome, attempt.get_outcome_display())

    @admin.display(description="request")
    def sent(self, attempt: Any) -> SafeString | str:
        return attempt.named.unseen or pretty(attempt.request)

    @admin.display(description="address")
    def address(self, attempt: Any) -> str:
        return str(attempt.named.unseen or attempt.url)

    @admin.display(description="answer")
    def answered(self, attempt: Any) -> str:
        return str(attempt.named.unseen or attempt.answer or "-")

    @admin.display(description="object")
    def of(self, attempt: Any) -> SafeString:
        return linked(attempt.named)
