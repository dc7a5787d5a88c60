# ruff: noqa: A002 (the addresses call it `id`)
"""The API of items, and of the external services that enrich and summarize them.

/items/{id}/enrich/      fetch the item's record from the external API and keep it with the item
/items/{id}/summarize/   have the item summarized and keep the summary with it
/external/posts/         list the records of the external API
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query
from pydantic import BaseModel, Field

from backoffice.kit.api import conditional
from backoffice.kit.api.problems import ProblemOut
from backoffice.kit.api.responses import json_response
from backoffice.kit.api.schemas import Text
from backoffice.kit.idempotency.decorators import not_atomic
from backoffice.kit.jobs.api import JobOut, job_response
from content.base.api import Resource, build_router
from content.tasks import external, jobs, services
from content.tasks.models import Item

items = Resource(
    Item,
    path="items",
    fields=(
        "title",
        "description",
        "external_id",
        "external_data",
        "external_fetched_at",
        "summary",
        "summary_source",
        "created_at",
        "updated_at",
    ),
    filters=("title", "external_id", "external_fetched_at__gte", "external_fetched_at__lt", "updated_at__gte"),
    sort=("-id", "title", "created_at", "updated_at"),
    search=("title", "description"),
    types={"external_data": dict[str, Any]},
)
router = build_router(items)

FAILURES = dict.fromkeys((502, 503, 504), ProblemOut)  # failures of the external services


class EnrichQuery(BaseModel):
    wait: bool = Field(default=True, description="`false`: answer at once with the job that does it.")


class ExternalQuery(BaseModel):
    limit: int = Field(default=50, ge=1, le=100, description="Records a page.")
    cursor: Text | None = Field(default=None, max_length=512, description="`next` of the page before.")


class ExternalPage(BaseModel):
    items: list[dict[str, Any]] = Field(description="Records, as the external API sent them.")
    next: str | None


@router.post(
    "/items/{int:id}/enrich/",
    operation_id="tasks_items_enrich",
    summary="Fetch an item's external record",
    description="Its fields are merged into `external_data`. 502, 503, 504: the fetch failed; nothing was changed.",
    response={200: items.out, 202: JobOut} | FAILURES,
)
@not_atomic
def enrich(request: HttpRequest, id: int, query: Query[EnrichQuery]) -> HttpResponse:
    item = _to_change(request, id)
    if not query.wait:
        return job_response(request, jobs.begin(jobs.enrich, [item.pk], user=request.user))
    return _answer(request, services.enrich(item))


@router.post(
    "/items/{int:id}/summarize/",
    operation_id="tasks_items_summarize",
    summary="Summarize an item",
    description="`summary_source` says what made the summary. 502, 504: it could not be made; nothing was changed.",
    response={200: items.out} | FAILURES,
)
@not_atomic
def summarize(request: HttpRequest, id: int) -> HttpResponse:
    return _answer(request, services.summarize(_to_change(request, id)))


@router.get(
    "/external/posts/",
    operation_id="tasks_external_posts",
    summary="List what the external API offers",
    response={200: ExternalPage} | FAILURES,
)
def posts(request: HttpRequest, query: Query[ExternalQuery]) -> HttpResponse:
    items.allow(request, "view")
    page = external.posts(limit=query.limit, cursor=query.cursor)
    return json_response({"items": page.items, "next": page.next})


def _to_change(request: HttpRequest, key: int) -> Item:
    """Return the item if the user may change it.

    Raises:
        ProblemError: 403: the user may not change items. 404: the item does not exist for the user.
    """
    items.allow(request, "change")
    item: Item = items.find(request, key)
    return item


def _answer(request: HttpRequest, item: Item) -> HttpResponse:
    row, version = items.get(request, item.pk, items.column_names)  # in one query
    return conditional.response(request, row, version)
