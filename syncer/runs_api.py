"""Runs in the JSON API, for programs of operators: cancel one."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Router
from pydantic import BaseModel, Field

from backoffice.kit.api.problems import ProblemError, ProblemOut
from backoffice.kit.api.responses import json_response
from backoffice.kit.auth import require
from syncer.engine.cancel import cancel
from syncer.models import Run
from syncer.models.target import SYNC_PERMISSION

router = Router()


class CancelledOut(BaseModel):
    run: int
    state: str = Field(description="`cancelled`, or `running` until what is under way is answered.")


@router.post(
    "/runs/{int:number}/cancel/",
    operation_id="sync_run_cancel",
    summary="Cancel a run",
    response={200: CancelledOut, 403: ProblemOut, 404: ProblemOut, 409: ProblemOut},
)
def cancel_run(request: HttpRequest, number: int) -> HttpResponse:
    """It stops after what is under way; what it leaves goes with the next sync."""
    require(request, SYNC_PERMISSION)
    run = get_object_or_404(Run, pk=number)
    if not cancel(run, user=request.user):
        raise ProblemError(409, "The run has ended, or was cancelled already.")
    run.refresh_from_db()
    return json_response({"run": run.pk, "state": run.state})
