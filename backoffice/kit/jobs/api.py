# ruff: noqa: A002 (the addresses call it `id`)
"""Jobs in the API: progress, failed items and result."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Router
from pydantic import BaseModel, Field

from backoffice.kit.api.responses import json_response
from backoffice.kit.jobs.files import download, has_file_for
from backoffice.kit.jobs.models import Job

RETRY_SECONDS = 1  # after which a client should ask again

router = Router()


class ItemProblem(BaseModel):
    item: str
    message: str


class JobOut(BaseModel):
    """Work that takes longer than a request."""

    id: UUID
    title: str
    state: Annotated[Job.State, Field(description="`done` and `failed` are final.")]
    total: int | None = Field(description="Items to do; null: not known.")
    done: int
    failed: int = Field(description="Items that failed; the others went on.")
    problems: list[ItemProblem] = Field(description="The first items that failed.")
    problems_left_out: int = Field(description="How many more failed.")
    result: dict[str, Any] | None
    error: str = Field(description="Why all of it failed; empty: it did not.")
    file: str | None = Field(description="The address of the file that it made, kept for a day.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def as_json(request: HttpRequest, job: Job) -> dict[str, Any]:
    """Return the job as `JobOut` describes it."""
    values = {name: getattr(job, name) for name in JobOut.model_fields}
    return values | {"file": reverse("api:job_file", args=[job.pk]) if has_file_for(request, job) else None}


def job_response(request: HttpRequest, job: Job) -> HttpResponse:
    """Return 202 with the job, and its address in `Location`."""
    headers = {"Location": reverse("api:job", args=[job.pk]), "Retry-After": str(RETRY_SECONDS)}
    return json_response(as_json(request, job), status=202, headers=headers)


@router.get("/{uuid:id}/", url_name="job", operation_id="job_get", summary="Get a job", response={200: JobOut})
def get_job(request: HttpRequest, id: UUID) -> HttpResponse:
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=id)
    headers = {"Retry-After": str(RETRY_SECONDS)} if job.is_open else {}
    return json_response(as_json(request, job), headers=headers)


@router.get(
    "/{uuid:id}/file/",
    url_name="job_file",
    operation_id="job_file",
    summary="Download the file that a job made",
    description="For who started the job only.",
    response={200: None},
    openapi_extra={"responses": {200: {"description": "The file.", "content": {"*/*": {}}}}},
)
def get_file(request: HttpRequest, id: UUID) -> FileResponse:
    return download(request, get_object_or_404(Job.objects.visible_to(request.user), pk=id))
