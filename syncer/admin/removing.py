"""The delete of a target or a route: a question that costs the same however much goes, and a job where it is much."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from backoffice.kit.jobs.models import Job
from syncer.admin.rows import RowsAdmin
from syncer.models import Route, Target
from syncer.recovery import removal

JOB = "_delete_job"  # the attribute of a request whose delete became a job


class RemovingAdmin(RowsAdmin):
    """Deletes one target or route at a time, with all that is known of it: whoever may delete it may delete that."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, Any], set[str], list[str]]:
        """Return what Django returns, with numbers in place of names."""
        (owner,) = objs
        numbers = removal.numbers(owner)
        names = [f"{name}: {number}" for name, number in numbers.items()]
        stays = _("What was sent stays at the target as it is.")
        return [str(owner), [*names, stays]], dict(numbers), set(), []

    def delete_model(self, request: HttpRequest, obj: Target | Route) -> None:
        if sum(removal.numbers(obj).values()) > removal.HERE:
            setattr(request, JOB, removal.begin(obj, user=request.user))
        else:
            super().delete_model(request, obj)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: object) -> HttpResponse:
        job: Job | None = getattr(request, JOB, None)
        if job:
            return redirect("admin:jobs_job_change", job.pk)
        answer: HttpResponse = super().response_delete(request, obj_display, obj_id)
        return answer
