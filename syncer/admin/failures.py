"""What failed in a run, on its page: by reason, each with an example; retry; and a file of all."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from backoffice.kit.phrase_field import localized
from backoffice.kit.spreadsheets import csv_response
from syncer import public
from syncer.admin.parts import Named, named, to_runs
from syncer.models import Attempt, Binding, Run
from syncer.models.binding import DUE
from syncer.reports.failures import REASON, SHOWN, Failures, Group, attempts_of, failures_of, normalized

if TYPE_CHECKING:
    from collections.abc import Sequence

GROUPS = 20  # shown


@dataclass(frozen=True, kw_only=True)
class ShownGroup:
    """A group of failures as one person may see it."""

    group: Group
    outcome: str
    reason: str  # empty if this person may read none of the answers
    objects: "Sequence[Named]"  # the first of them
    example: Attempt | None  # the newest exchange that this person may read

    @property
    def more(self) -> int:
        return self.group.number - len(self.objects)


def shown(request: HttpRequest, run: Run) -> dict[str, Any]:
    """Return the context of `syncer/failures.html`."""
    failures = failures_of(run)
    groups = failures.groups[:GROUPS]
    keys = [key for group in groups for key in group.attempts[:SHOWN]]
    attempts = {attempt.pk: attempt for page in attempts_of(keys) for attempt in page}
    objects = named(request, [attempt.binding for attempt in attempts.values()])
    return {
        "run": run,
        "failures": failures,
        "groups": [_shown(group, attempts, objects) for group in groups],
        "more_reasons": len(failures.groups) - len(groups),
    }


def _shown(group: Group, attempts: dict[int, Attempt], objects: dict[int, Named]) -> ShownGroup:
    first = [attempts[key] for key in group.attempts[:SHOWN] if key in attempts]
    readable = [attempt for attempt in first if not objects[attempt.binding_id].unseen]
    return ShownGroup(
        group=group,
        outcome=Attempt(outcome=group.outcome).get_outcome_display(),
        reason=normalized(localized(readable[0].answer)[:REASON]) if readable else "",
        objects=[objects[attempt.binding_id] for attempt in first],
        example=readable[0] if readable else None,
    )


def retry(request: HttpRequest, run: Run) -> HttpResponse:
    """Sync again what failed for the reason that was chosen, or all that failed, where it is not delivered by now."""
    bindings = [
        binding for group in _chosen(failures_of(run), request.POST.get("group", "")) for binding in group.bindings
    ]
    due = Binding.objects.filter(DUE, pk__in=bindings, on_hold=False).select_related("route__target")
    runs = public.sync_bindings(due, user=request.user)
    if runs:
        return to_runs(request, runs)
    messages.info(request, _("Nothing of it is left to retry: it was delivered or put on hold since."))
    return HttpResponseRedirect(reverse("admin:syncer_run_change", args=[run.pk]))


def download(request: HttpRequest, run: Run) -> StreamingHttpResponse:
    """Return a file of what failed: each object with its title and the reason, as far as this person may see them."""
    groups = _chosen(failures_of(run), request.GET.get("group", ""))
    record(Action.EXPORTED, run, kind="failures")
    titles = (_("model"), _("key"), _("title"), _("outcome"), _("status"), _("reason"))
    return csv_response(f"run-{run.pk}-failed.csv", titles, _rows(request, groups))


def _rows(request: HttpRequest, groups: list[Group]) -> Iterator[tuple[object, ...]]:
    outcomes = {value: str(label) for value, label in Attempt.Outcome.choices}
    for page in attempts_of([key for group in groups for key in group.attempts]):
        objects = named(request, [attempt.binding for attempt in page])
        for attempt in page:
            obj, binding = objects[attempt.binding_id], attempt.binding
            reason = obj.unseen or localized(attempt.answer)
            yield (
                *(binding.route.model, binding.object_key, obj.title),
                *(outcomes[attempt.outcome], attempt.status, reason),
            )


def _chosen(failures: Failures, key: str) -> list[Group]:
    """Return the group with this key, or all where none is named; nothing where it is gone."""
    if not key:
        return [*failures.groups]
    found = failures.group(key)
    return [found] if found else []
