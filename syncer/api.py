"""The engine in the JSON API, for programs of operators: the deletes that wait for a person, and what is on hold."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router
from pydantic import BaseModel, Field

from backoffice.kit.api.problems import ProblemError, ProblemOut
from backoffice.kit.api.responses import json_response
from backoffice.kit.api.schemas import Body, Text
from backoffice.kit.auth import require
from backoffice.kit.idempotency.decorators import not_atomic
from syncer import holds_api, runs_api
from syncer.core.errors import SyncError
from syncer.engine.wake import wake
from syncer.models import Run, Target
from syncer.models.target import SYNC_PERMISSION
from syncer.recovery import deletes

router = Router()
router.add_router("", holds_api.router)
router.add_router("", runs_api.router)
PROBLEMS = {403: ProblemOut, 404: ProblemOut, 409: ProblemOut}


class WhyOut(BaseModel):
    model: str
    number: int
    why: str


class DeleteOut(BaseModel):
    object: str = Field(description="Such as `news.Post:5`.")
    record: str = Field(description="The record's id at the target.")


class DeletesOut(BaseModel):
    """The deletes at a target that are too many for one run and wait for a person."""

    target: str
    number: int
    digest: str = Field(description="Names exactly these deletes in a decision; empty: nothing waits.")
    why: list[WhyOut]
    deletes: list[DeleteOut] = Field(description="The first 200.")
    more: int = Field(description="How many are not listed.")


class DeletesQuery(BaseModel):
    model: str = Field("", max_length=64, description="Only the deletes of this model, such as `news.Post`.")


class DecisionIn(Body):
    digest: Text = Field(max_length=64, description="As listed: if other deletes wait by now, the answer is 409.")
    model: Text = Field(default="", max_length=64, description="The model that was listed; empty: all.")


class DecisionOut(BaseModel):
    number: int = Field(description="Deletes that were decided.")
    run: int = Field(description="The run that was started.")


@router.get(
    "/targets/{slug:name}/deletes/",
    operation_id="sync_deletes_list",
    summary="List the deletes that wait for a person",
    response={200: DeletesOut} | PROBLEMS,
)
def list_deletes(request: HttpRequest, name: str, query: Query[DeletesQuery]) -> HttpResponse:
    target = _target(request, name)
    try:
        return json_response(deletes.review(target, model=query.model).as_json())
    except SyncError as error:
        raise ProblemError(409, str(error)) from error


@router.post(
    "/targets/{slug:name}/deletes/allow/",
    operation_id="sync_deletes_allow",
    summary="Allow exactly the deletes that were listed",
    response={200: DecisionOut} | PROBLEMS,
)
@not_atomic  # the decision is committed before the run that follows it is queued
def allow_deletes(request: HttpRequest, name: str, data: DecisionIn) -> HttpResponse:
    """Starts a sync, which makes them."""
    return _decide(request, name, data, deletes.allow)


@router.post(
    "/targets/{slug:name}/deletes/undo/",
    operation_id="sync_deletes_undo",
    summary="Undo the edits that led to the deletes that were listed",
    response={200: DecisionOut} | PROBLEMS,
)
@not_atomic
def undo_deletes(request: HttpRequest, name: str, data: DecisionIn) -> HttpResponse:
    """All or nothing: 409 says what can't be undone. Restoring needs the permission to add the objects."""
    return _decide(request, name, data, deletes.undo)


def _target(request: HttpRequest, name: str) -> Target:
    require(request, SYNC_PERMISSION)
    return get_object_or_404(Target, name=name)


def _decide(request: HttpRequest, name: str, data: DecisionIn, decide: Callable[..., int]) -> HttpResponse:
    """Allow or undo the deletes that were listed, and start a sync."""
    target = _target(request, name)
    try:
        number = decide(target, data.digest, user=request.user, model=data.model)
    except SyncError as error:
        raise ProblemError(409, str(error)) from error
    run = wake(target=target, trigger=Run.Trigger.MANUAL, user=request.user)
    return json_response({"number": number, "run": run.pk})
